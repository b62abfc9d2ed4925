/**
 * Fragments of SQL over otel_logs: how a line becomes a template, how severe it is, which lines lie in a window. Constants
 * only: every value is a bound parameter.
 */
import { secondWithin, timeWithin } from './time-sql.ts';

/** A body longer than this says in its beginning what kind of line it is; characters. */
const READ_CHARACTERS = 2_000;
const TEMPLATE_CHARACTERS = 300;

/** Colours and cursor moves of a terminal (ECMA-48 CSI sequences). */
const ANSI_ESCAPE = String.raw`\\x1b\\[[0-9;]*[A-Za-z]`;

/** A place in the code, `OrderService#451` or `orders.py:12`: two places with the same words are two templates. */
const CODE_PLACE = String.raw`#[0-9]{1,5}\\b|\\.[a-z]{1,5}:[0-9]{1,5}\\b`;

/**
 * What varies from line to line: UUIDs, hex of eight digits and more, query strings, and every word with a digit in it, joined
 * over . : , - (so that a timestamp, an IP address or a version is one word).
 */
const VARIABLE = [
  String.raw`\\b[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\\b`,
  String.raw`\\b[0-9a-fA-F]{8,}\\b`,
  String.raw`\\?\\w+=[^\\s"\'<>]*`,
  String.raw`\\w*[0-9]\\w*(?:[.:,-]\\w*[0-9]\\w*)*`,
].join('|');

/** Innermost brackets that hold data: a list, pairs, something masked. A plain name in brackets stays. */
const DATA = String.raw`\\[[^\\[\\]]*[,=*][^\\[\\]]*\\]|\\([^()]*[,=*][^()]*\\)|\\{[^{}]*[,=:*][^{}]*\\}`;
const collapse = (text: string) => `replaceRegexpAll(${text}, '${DATA}', '<*>')`;
/** Data whose end was cut off. */
const OPEN_DATA = String.raw`[\\[({][^\\[\\](){}]*[,=*][^\\[\\](){}]*$`;

const PLAIN = `if(position(Body, '\\x1b') = 0, leftUTF8(Body, ${READ_CHARACTERS}),
      replaceRegexpAll(leftUTF8(Body, ${READ_CHARACTERS}), '${ANSI_ESCAPE}', ''))`;
const MASKED = `replaceRegexpAll(${PLAIN}, '(${CODE_PLACE})|${VARIABLE}', '\\1<*>')`;

/**
 * The template of a line as it can be told from the line alone: its body without terminal escapes, `<*>` for each variable and for
 * bracketed data (three levels deep; not for a body that is one object itself), 300 characters. Hosts and paths of URLs stay,
 * because they name who was called. For lines whose template was not mined when they arrived, and for texts that are no lines.
 */
export const LOG_TEMPLATE = `leftUTF8(concat(leftUTF8(${MASKED}, 1),
    replaceRegexpOne(${collapse(collapse(collapse(`substringUTF8(${MASKED}, 2)`)))}, '${OPEN_DATA}', '<*>')), ${TEMPLATE_CHARACTERS})`;

/**
 * To be joined to otel_logs: the text of the template that a line was given when it arrived, as it is known now. Without a match:
 * the line is older than mining, or somebody else stored it.
 */
export const WITH_MINED_TEMPLATE = `LEFT ANY JOIN (
    SELECT ServiceName AS MinedService, Id AS MinedId, argMax(leftUTF8(Text, ${TEMPLATE_CHARACTERS}), Version) AS MinedText
    FROM inquest_log_templates
    GROUP BY MinedService, MinedId
  ) AS mined ON ServiceName = MinedService AND TemplateId = MinedId`;

/** The template of a line, with WITH_MINED_TEMPLATE. */
export const MINED_OR_MASKED_TEMPLATE = `if(MinedText != '', MinedText, ${LOG_TEMPLATE})`;

/** That a line has the template `{template:String}`; costs a regular expression for lines without a mined one only. */
export const HAS_TEMPLATE = `(
    (ServiceName, TemplateId) IN (
      SELECT ServiceName, Id FROM inquest_log_templates
      GROUP BY ServiceName, Id HAVING argMax(leftUTF8(Text, ${TEMPLATE_CHARACTERS}), Version) = {template:String})
    OR ((ServiceName, TemplateId) NOT IN (SELECT ServiceName, Id FROM inquest_log_templates) AND ${LOG_TEMPLATE} = {template:String}))`;

/** OTLP's severity number (1..24, 0 unknown); sources that send the text alone are understood by it. */
export const SEVERITY = `multiIf(SeverityNumber > 0, SeverityNumber,
    upper(SeverityText) IN ('TRACE', 'FINEST', 'FINER'), 1,
    upper(SeverityText) IN ('DEBUG', 'FINE'), 5,
    upper(SeverityText) IN ('INFO', 'INFORMATION', 'NOTICE', 'CONFIG'), 9,
    upper(SeverityText) IN ('WARN', 'WARNING'), 13,
    upper(SeverityText) IN ('ERROR', 'ERR', 'SEVERE'), 17,
    upper(SeverityText) IN ('FATAL', 'CRITICAL', 'CRIT', 'ALERT', 'EMERGENCY', 'EMERG', 'PANIC'), 21, 0)`;

/** From this severity number on a line reports an error. */
export const ERROR_SEVERITY = 17;

/** Both time columns: partitions and primary key are made of the one with whole seconds. */
function between(start: string, end: string): string {
  return `(${secondWithin('TimestampTime', start, end)} AND ${timeWithin('Timestamp', start, end)})`;
}

export const LOGS_IN_WINDOW = between('{startMs:Int64}', '{endMs:Int64}');
export const LOGS_IN_BASELINE = between('{baselineStartMs:Int64}', '{baselineEndMs:Int64}');
