/** What the CLI's exit status means; `inquest --help` prints this table. */
export const EXIT = {
  ok: 0,
  failure: 1,
  usage: 2,
  undecided: 3,
  awaitingApproval: 4,
  evidenceChanged: 5,
  notFound: 6,
  auditBroken: 7,
  interrupted: 130,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

export const EXIT_HELP = `
Exit status:
  0    done; for an investigation: a verdict
  1    Inquest failed (the message on stderr says how)
  2    wrong usage or configuration
  3    not decided: the jury abstained, the investigation failed, or a question was not understood
  4    a verdict, and its remediation waits for approval
  5    verify: evidence drifted or is gone
  6    no such incident, investigation, evidence, anomaly or rule
  7    audit: the log is broken
  130  interrupted (Ctrl-C); the host goes on with what it was asked`;
