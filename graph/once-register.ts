/** First write wins, for ever: what makes one decision count and one action run once, whatever crashes or races. */
export interface OnceRegister {
  /**
   * Stores `text` under `key` unless something is there; answers what stands there now and whether this call put it there.
   * Atomic among all processes that share the register, durable when it resolves. May reject with UnavailableError.
   */
  putOnce(
    key: string,
    text: string,
    signal?: AbortSignal,
  ): Promise<{ readonly stored: boolean; readonly text: string }>;

  /** What stands under the key. */
  get(key: string, signal?: AbortSignal): Promise<string | undefined>;
}
