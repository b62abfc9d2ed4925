/**
 * What became of the records of one request: how many were accepted, how many of them late, which were rejected and why, and
 * how many values were cut. Reasons come from a fixed set of sentences, so the list stays short whatever is sent.
 */

/** Characters that resource and scope columns may add up to over all rows of one request: each row repeats them. */
const MAX_REPEATED_CHARS = 512 * 1024 * 1024;

/** Reasons told to the sender; a request with more kinds of trouble than this has a common cause. */
const MAX_REASONS_TOLD = 8;
const MAX_REASON_CHARS = 200;

export class RecordCount {
  accepted = 0;
  rejected = 0;
  /** Accepted, although detection has passed their time. */
  late = 0;
  /** Values cut to their limit, and members of lists beyond theirs. */
  shortened = 0;
  readonly #reasons = new Map<string, number>();
  #repeatedChars = 0;

  /** Counts one record that is not stored; returns undefined so that a mapper can return its call. */
  reject(reason: string): undefined {
    this.rejected += 1;
    const known = this.#reasons.get(reason);
    if (known !== undefined || this.#reasons.size < MAX_REASONS_TOLD) this.#reasons.set(reason, (known ?? 0) + 1);
    return undefined;
  }

  /** True when a row may repeat that many characters of its resource and scope; counts the record as rejected otherwise. */
  mayRepeat(sharedChars: number): boolean {
    this.#repeatedChars += sharedChars;
    if (this.#repeatedChars <= MAX_REPEATED_CHARS) return true;
    this.reject('resource attributes too large for so many records in one request: send smaller batches');
    return false;
  }

  /** `value`, cut to `maxChars` UTF-16 units but never through a character. */
  text(value: string, maxChars: number): string {
    if (value.length <= maxChars) return value;
    this.shortened += 1;
    const last = value.charCodeAt(maxChars - 1);
    return value.slice(0, last >= 0xd800 && last <= 0xdbff ? maxChars - 1 : maxChars);
  }

  /** The first `maxItems` of a list. */
  list<T>(items: readonly T[], maxItems: number): readonly T[] {
    if (items.length <= maxItems) return items;
    this.shortened += items.length - maxItems;
    return items.slice(0, maxItems);
  }

  /** One line for the sender, empty when there is nothing to tell. */
  describe(): string {
    const reasons = [...this.#reasons].map(([reason, count]) => `${count} x ${reason.slice(0, MAX_REASON_CHARS)}`);
    if (this.shortened > 0) reasons.push(`${this.shortened} x shortened to the limit of its field (stored)`);
    return reasons.join('; ');
  }
}
