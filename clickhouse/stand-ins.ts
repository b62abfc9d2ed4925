/** Common table expressions in place of tables that a database does not have: only those that a statement names. */

export interface StandIn {
  readonly table: string;
  /** Gives the table's columns; may name stand-ins that come before it. */
  readonly select: string;
}

/** @param standIns in an order in which each uses only those before it */
export function addStandIns(sql: string, standIns: readonly StandIn[]): string {
  const used: StandIn[] = [];
  let mentioned = sql;
  for (const standIn of standIns.toReversed()) {
    if (!new RegExp(`(?<![.\\w])${standIn.table}\\b`).test(mentioned)) continue;
    used.unshift(standIn);
    mentioned += `\n${standIn.select}`;
  }
  if (used.length === 0) return sql;
  const expressions = used.map(({ table, select }) => `${table} AS (${select})`).join(',\n');
  const own = /^\s*WITH\b/i;
  return own.test(sql) ? sql.replace(own, () => `WITH ${expressions},\n`) : `WITH ${expressions}\n${sql}`;
}
