/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the virtual CPU of vcpu.c does: esi and ebp are begin and end of its
 * memory, esp of what it tells. Each line of 64 bytes has address ^ round.
 */
#include "vcpu.h"

	.section .rodata
	.code32
	.globl guest_begin, guest_end
guest_begin:
	xor	%ebx, %ebx
1:	mov	%esi, %edi
2:	mov	%edi, %eax
	xor	%ebx, %eax
	cmp	(%edi), %eax
	je	3f
	incl	TOLD_WRONG(%esp)
3:	lea	1(%ebx), %eax
	xor	%edi, %eax
	mov	%eax, (%edi)
	add	$LINE, %edi
	cmp	%ebp, %edi
	jb	2b
	inc	%ebx
	mov	%ebx, TOLD_ROUNDS(%esp)
	test	$(ROUNDS - 1), %ebx
	jnz	1b
	out	%al, $PORT
	jmp	1b
guest_end:

	.section .note.GNU-stack, "", @progbits
