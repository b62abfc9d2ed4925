/**
 * What kind of trouble the words of a failure speak of. Only words that runtimes, drivers and operating systems use for one
 * thing; a failure that says anything else is just a failure.
 */
import type { CauseType } from './finding.ts';

interface FailureReason {
  readonly causeType: CauseType;
  /** RE2, matched anywhere in exception type, message, status message and error.type. */
  readonly pattern: string;
}

/** The first match wins. */
export const FAILURE_REASONS: readonly FailureReason[] = [
  {
    causeType: 'name-resolution',
    pattern:
      '(?i)ENOTFOUND|EAI_AGAIN|NXDOMAIN|SERVFAIL|getaddrinfo|UnknownHost|no such host|name or service not known|(failure in|failed|could not|cannot) (name resolution|resolv)|name resolution failed|gaierror',
  },
  {
    causeType: 'expired-certificate',
    pattern:
      '(?i)CERT_HAS_EXPIRED|certificate (has |is |was )?expired|CertificateExpired|x509: certificate has expired',
  },
  {
    causeType: 'pool-exhaustion',
    pattern:
      '(?i)\\bpool[^.]{0,40}(exhaust|timed? ?-?out|timeout|is full|no (free|available|idle))|(Queue|Connection|Thread)Pool (limit|exhaust|timeout)|(acquir|obtain|wait|checkout)[^.]{0,40}(connection|pool)|PoolTimeout|PoolExhausted|ConnectionWaitTimeout|too many (clients|connections)|connection slots|no (free|available|idle) connections?|ConnectionNotAvailable|Connection is not available',
  },
  {
    causeType: 'memory-exhaustion',
    pattern: '(?i)out of memory|OutOfMemory|OOM-?Killed|heap limit|cannot allocate memory|MemoryError',
  },
  { causeType: 'disk-saturation', pattern: '(?i)no space left|ENOSPC|disk (is )?full|disk quota exceeded' },
];

/** The cause that most of the failures speak of, where at least half of them do. @param counts by index into FAILURE_REASONS */
export function dominantReason(counts: readonly number[], failures: number): CauseType | undefined {
  const most = Math.max(0, ...counts);
  return most > 0 && most * 2 >= failures ? FAILURE_REASONS[counts.indexOf(most)]?.causeType : undefined;
}

/**
 * Hosts outside: a name with a dot that no cluster gives, and no address. RE2; a host is outside when it matches the first and
 * not the second.
 */
export const OUTSIDE_HOST = {
  pattern: '^[\\w-]+(\\.[\\w-]+)+$',
  except: '^[0-9.]+$|\\.(svc|local|internal|cluster|lan|localdomain|intern|corp)(\\.|$)',
} as const;
