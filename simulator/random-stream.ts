/**
 * Randomness by name instead of by turn: a stream is a 64-bit key, its numbers depend only on the key and their position, and
 * `fork` gives each request, service or moment a stream of its own. One draw more in one place changes nothing elsewhere.
 */

/** An integer hash with low bias (the xorshift-multiply shape of C. Wellons' hash-prospector, 32 bits). */
function mix(value: number): number {
  let hash = value | 0;
  hash = Math.imul(hash ^ (hash >>> 16), 0x21f0aaad);
  hash = Math.imul(hash ^ (hash >>> 15), 0x735a2d97);
  return hash ^ (hash >>> 15);
}

function hex32(word: number): string {
  return (word >>> 0).toString(16).padStart(8, '0');
}

export class RandomStream {
  private readonly high: number;
  private readonly low: number;
  private position = 0;

  constructor(high: number, low: number) {
    this.high = high;
    this.low = low;
  }

  /** @param seed any non-negative safe integer */
  static fromSeed(seed: number): RandomStream {
    return new RandomStream(mix(seed % 0x1_0000_0000), mix(Math.floor(seed / 0x1_0000_0000) ^ 0x6a09e667));
  }

  /** The stream of that label: independent of this one, of other labels, and of what was drawn so far. */
  fork(label: number | string): RandomStream {
    const word = typeof label === 'string' ? hashText(label) : mix(label + 0x3c6ef372);
    const high = mix(this.high ^ word);
    return new RandomStream(high, mix((this.low + Math.imul(word, 0x2545f491)) ^ (high >>> 7)));
  }

  /** Uniform in [0, 1). */
  next(): number {
    this.position += 1;
    const word = mix(mix(this.high + Math.imul(this.position, 0x9e3779b9)) ^ this.low);
    return (word >>> 0) / 0x1_0000_0000;
  }

  /** Whole number in [0, count). */
  below(count: number): number {
    return Math.floor(this.next() * count);
  }

  between(low: number, high: number): number {
    return low + this.next() * (high - low);
  }

  /** Standard normal (Box-Muller, one of the pair). */
  normal(): number {
    return Math.sqrt(-2 * Math.log(1 - this.next())) * Math.cos(2 * Math.PI * this.next());
  }

  /** Poisson; above 60 by the normal approximation. */
  poisson(mean: number): number {
    if (mean > 60) return Math.max(0, Math.round(mean + Math.sqrt(mean) * this.normal()));
    const limit = Math.exp(-mean);
    let count = 0;
    for (let product = this.next(); product > limit; product *= this.next()) count += 1;
    return count;
  }

  /** The stream's own name, always the same: 16 hex digits. */
  id64(): string {
    return hex32(this.high) + hex32(this.low);
  }

  /** 32 hex digits, beginning with those of `id64`. */
  id128(): string {
    return this.id64() + hex32(mix(this.high ^ 0x510e527f)) + hex32(mix(this.low ^ 0x1f83d9ab));
  }
}

function hashText(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) hash = mix(hash ^ text.charCodeAt(index));
  return hash;
}
