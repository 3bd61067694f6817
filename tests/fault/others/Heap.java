// SPDX-License-Identifier: GPL-2.0

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.util.ArrayList;
import java.util.zip.CRC32;

/**
 * A heap of known bytes, which a thread of its own checks and writes anew, block by
 * block, so that the collector has something to do.
 *
 *   java Heap MIB
 *
 * It says "ready PID" and answers each line of stdin: "rounds N wrong N", once
 * every block has been checked once more.
 */
public class Heap {
	static final int BLOCK = 64 << 10;

	static ArrayList<byte[]> blocks = new ArrayList<>();
	static ArrayList<Long> sums = new ArrayList<>();
	static volatile long rounds, wrong;

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

	static void round() {
		for (int i = 0; i < blocks.size(); i++) {
			byte[] block = blocks.get(i);

			if (sum(block) != sums.get(i))
				wrong++;
			block = block.clone();
			block[(int) (rounds % BLOCK)]++;
			blocks.set(i, block);
			sums.set(i, sum(block));
		}
		rounds++;
	}

	public static void main(String[] args) throws Exception {
		int count = Integer.parseInt(args[0]) << 20 - 16;
		BufferedReader in = new BufferedReader(new InputStreamReader(System.in));

		for (int i = 0; i < count; i++) {
			blocks.add(block(i));
			sums.add(sum(blocks.get(i)));
		}
		Thread writer = new Thread(() -> {
			while (true)
				round();
		});
		writer.setDaemon(true);
		writer.start();
		System.out.println("ready " + ProcessHandle.current().pid());
		while (in.readLine() != null) {
			for (long begun = rounds; rounds - begun < 2; )
				Thread.sleep(1);
			System.out.println("rounds " + rounds + " wrong " + wrong);
		}
	}
}
