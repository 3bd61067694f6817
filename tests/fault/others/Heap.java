// SPDX-License-Identifier: GPL-2.0

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintWriter;
import java.time.Instant;
import java.util.ArrayList;
import java.util.concurrent.locks.LockSupport;
import java.util.zip.CRC32;

/**
 * A heap of known bytes. Each request checks a block of them and writes it anew, as
 * another object, so that the collector has something to do.
 *
 *   java Heap MIB RATE FILE
 *
 * Requests begin by a schedule, RATE a second, and take as long as from then to their
 * end: what a stop kept from beginning counts, too.
 *
 * It says "ready PID" and answers each line of stdin with "requests N wrong N", once
 * every block has been checked once more. FILE has a line "BEGIN END" for each of the
 * requests until then, in microseconds since 1970.
 */
public class Heap {
	static final int BLOCK = 64 << 10;

	static ArrayList<byte[]> blocks = new ArrayList<>();
	static ArrayList<Long> sums = new ArrayList<>();
	static volatile long requests, wrong;

	static final long nano = System.nanoTime();
	static final Instant zero = Instant.now();

	static long usec(long time) {
		return zero.getEpochSecond() * 1000000 + (zero.getNano() + time - nano) / 1000;
	}

	static long sum(byte[] block) {
		CRC32 crc = new CRC32();

		crc.update(block);
		return crc.getValue();
	}

	static byte[] block(long seed) {
		byte[] block = new byte[BLOCK];

		for (int i = 0; i < BLOCK; i++) {
			seed = seed * 6364136223846793005L + 1442695040888963407L;
			block[i] = (byte) (seed >> 56);
		}
		return block;
	}

	static void request() {
		int i = (int) (requests % blocks.size());
		byte[] block = blocks.get(i);

		if (sum(block) != sums.get(i))
			wrong++;
		block = block.clone();
		block[(int) (requests % BLOCK)]++;
		blocks.set(i, block);
		sums.set(i, sum(block));
		requests++;
	}

	static void serve(long interval, PrintWriter times) {
		for (long begin = System.nanoTime() + interval; ; begin += interval) {
			while (System.nanoTime() < begin)
				LockSupport.parkNanos(begin - System.nanoTime());
			request();
			times.println(usec(begin) + " " + usec(System.nanoTime()));
		}
	}

	public static void main(String[] args) throws Exception {
		int count = Integer.parseInt(args[0]) << 20 - 16;
		long interval = 1000000000L / Integer.parseInt(args[1]);
		PrintWriter times = new PrintWriter(args[2]);
		BufferedReader in = new BufferedReader(new InputStreamReader(System.in));

		for (int i = 0; i < count; i++) {
			blocks.add(block(i));
			sums.add(sum(blocks.get(i)));
		}
		Thread server = new Thread(() -> serve(interval, times));
		server.setDaemon(true);
		server.start();
		System.out.println("ready " + ProcessHandle.current().pid());
		while (in.readLine() != null) {
			// the request that is under way, and one for each block
			for (long begun = requests; requests - begun <= count; )
				Thread.sleep(1);
			times.flush();
			System.out.println("requests " + requests + " wrong " + wrong);
		}
	}
}
