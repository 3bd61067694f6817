/* SPDX-License-Identifier: GPL-2.0 */
/* polkit's agent, which asks for a password on the terminal of migctl. */
#ifndef MIGCTL_AGENT_H
#define MIGCTL_AGENT_H

/*
 * agent_begin - before a call that polkit may want a password for
 *
 * Nothing happens for root, for another machine, without a terminal on stdin and
 * without pkttyagent(1): then the call is refused in a sentence. Returns when polkit
 * knows the agent.
 */
void agent_begin(void);

/* agent_end - once that call is answered; also when there is no agent. */
void agent_end(void);

#endif /* MIGCTL_AGENT_H */
