/** Compression at once, where a browser has it only in its own time: for data that repeats itself. */

const END_OF_BLOCK = 256;
const LONGEST_REPEAT = 258;

/** Code and bits of each of deflate's symbols, with the code's first bit as the lowest. */
const FIXED_CODES = Array.from({ length: 288 }, (_, symbol): [number, number] => {
  if (symbol < 144) return [reverse(0x30 + symbol, 8), 8];
  if (symbol < 256) return [reverse(0x190 + symbol - 144, 9), 9];
  return symbol < 280 ? [reverse(symbol - 256, 7), 7] : [reverse(0xc0 + symbol - 280, 8), 8];
});

/** How deflate writes each length of a repetition: a symbol, and in so many bits by what it exceeds a base. */
const REPEATS = listRepeats();

/**
 * A zlib stream of deflate's fixed codes, in which nothing but the byte before is ever repeated.
 *
 * @see RFC 1951, 3.2.5 and 3.2.6
 */
export function compressRuns(data: Uint8Array): Uint8Array {
  const output = new Uint8Array(Math.ceil((data.length * 9) / 8) + 16);
  output.set([0x78, 0x01]);
  let used = 2;
  let waiting = 0;
  let count = 0;
  const write = (value: number, bits: number): void => {
    waiting |= value << count;
    for (count += bits; count >= 8; count -= 8) {
      output[used++] = waiting & 255;
      waiting >>>= 8;
    }
  };
  const writeSymbol = (symbol: number): void => {
    const [code, bits] = FIXED_CODES[symbol]!;
    write(code, bits);
  };
  write(0b011, 3); // the last block, and of fixed codes
  for (let at = 0; at < data.length; ) {
    const byte = data[at]!;
    const start = at++;
    while (at < data.length && data[at] === byte) at++;
    let left = at - start;
    for (writeSymbol(byte), left--; left >= 3; ) {
      const length = Math.min(left, LONGEST_REPEAT);
      const { symbol, base, bits } = REPEATS[length]!;
      writeSymbol(symbol);
      write(length - base, bits);
      write(0, 5); // from one byte before
      left -= length;
    }
    for (; left > 0; left--) writeSymbol(byte);
  }
  writeSymbol(END_OF_BLOCK);
  write(0, 7);
  new DataView(output.buffer).setUint32(used, adler32(data));
  return output.subarray(0, used + 4);
}

function listRepeats(): { symbol: number; base: number; bits: number }[] {
  const repeats: { symbol: number; base: number; bits: number }[] = [];
  for (let symbol = 257, base = 3; symbol < 285; symbol++) {
    const bits = Math.max(0, ((symbol - 257) >> 2) - 1);
    for (const next = base + (1 << bits); base < next; base++) repeats[base] = { symbol, base: next - (1 << bits), bits };
  }
  repeats[LONGEST_REPEAT] = { symbol: 285, base: LONGEST_REPEAT, bits: 0 };
  return repeats;
}

function reverse(code: number, bits: number): number {
  let reversed = 0;
  for (let bit = 0; bit < bits; bit++) reversed |= ((code >> bit) & 1) << (bits - 1 - bit);
  return reversed;
}

function adler32(bytes: Uint8Array): number {
  let a = 1;
  let b = 0;
  for (let start = 0; start < bytes.length; start += 5552) {
    const end = Math.min(bytes.length, start + 5552);
    for (let at = start; at < end; at++) b += a += bytes[at]!;
    a %= 65521;
    b %= 65521;
  }
  return (b << 16) | a;
}
