/** Shapes of added code that cost with load or time: calls inside loops, collections that only grow, tasks started and forgotten. */
import type { ChangeClass } from './change-class.ts';
import { codeOf } from './code-lines.ts';
import type { FileDiff, Hunk } from './parse-diff.ts';

type Found = Omit<ChangeClass, 'path'>;

export function codeShapes(file: FileDiff): Found[] {
  const removed = new Set(linesOf(file, '-').map((line) => line.trim()));
  return [...callsInLoops(file, removed), ...growingCollections(file), ...tasksPerCall(file, removed)];
}

function linesOf({ hunks }: FileDiff, ...signs: string[]): string[] {
  return hunks.flatMap(({ lines }) => lines.filter(({ sign }) => signs.includes(sign)).map(({ text }) => codeOf(text)));
}

const LOOP =
  /^\s*(async\s+)?(for|foreach|while|loop)\b|\.(forEach|map|flatMap|each|collect)\s*\(|\bfor\s*\(|^\s*for\s+\w+\s+in\b/;
/** Waits for ticks, messages or the end of the world: a loop of its own, not one over the things of a request. */
const ENDLESS = /\bfor\s*(\(\s*;\s*;\s*\))?\s*\{\s*$|\bwhile\s*\(?\s*(true|True|1)\b|^\s*loop\b/;
/** A call that leaves the process, by the words of what is called. */
const REMOTE =
  /\bawait\s+[\w.]+\(|\b[\w.]*(db|sql|conn|client|repo|repository|dao|store|session|catalog|api|rpc|grpc|http|redis|cache|gateway|stub)\w*\.\w+\(|\b(query|exec|execute|fetch|select|find(One|By|All)?|load|lookup)\w*\(|\.\w+\((ctx|context|r\.Context\(\))\b|\b(SELECT|INSERT|UPDATE)\s/i;

function callsInLoops({ hunks }: FileDiff, removed: ReadonlySet<string>): Found[] {
  const calls = hunks.flatMap((hunk) => loopCalls(hunk)).filter((line) => !removed.has(line.trim()));
  const [first] = calls;
  if (first === undefined) return [];
  return [
    {
      name: 'call-in-loop',
      strength: 0.9,
      does: `calls out once for each element of a loop (${first.trim().slice(0, 80)})`,
      anchors: [],
    },
  ];
}

/** Added calls deeper than a loop's heading that is added or was there; where a removed loop did the same, nothing is new. */
function loopCalls({ lines }: Hunk): string[] {
  const present = lines
    .filter(({ sign }) => sign !== '-')
    .map(({ sign, text }) => ({ sign, code: codeOf(text) }))
    .filter(({ code }) => code.trim() !== '');
  let open: number[] = [];
  const calls: string[] = [];
  for (const { sign, code } of present) {
    const depth = indentOf(code);
    open = open.filter((outer) => outer < depth);
    const isLoop = LOOP.test(code) && !ENDLESS.test(code);
    const isInside = open.length > 0 || (isLoop && /\bawait\b/.test(code));
    if (sign === '+' && isInside && callsOut(code)) calls.push(code);
    if (isLoop) open.push(depth);
  }
  return calls;
}

function callsOut(code: string): boolean {
  return REMOTE.test(code) && !/\b(log|logger|console)\b/i.test(code);
}

function indentOf(code: string): number {
  let width = 0;
  for (const letter of code) {
    if (letter === '\t') width += 4;
    else if (letter === ' ') width += 1;
    else break;
  }
  return width;
}

const COLLECTION =
  /\[\]|\bmap\[|\bMap\b|\bSet\b|\bList\b|ArrayList|HashMap|\bdict\b|\bdefaultdict\b|\blist\(|\bset\(|\{\}|=\s*\[\s*\]|Queue|Buffer|\bVec\b/;
/** Declared outside any function: it lives as long as the process. */
const SHARED =
  /^(?:export\s+)?(?:(?:public|private|protected|internal|static|final|readonly|volatile)\s+)*(?:var|let|const|static|val|final|lazy_static!?)?\s*(?:[\w<>,[\]? ]+\s+)??([A-Za-z_]\w*)\s*(?::[^=]+|\[\][\w.*]+|map\[.*|=.*)$/;
const GROWS =
  /\b((?:self|this|[a-z]\w{0,12})\.)?([A-Za-z_]\w*)(?:\s*=\s*append\(|\.(?:push|append|add|put|set|offer|store|insert|unshift|extend|PushBack)\(|\[[^\]]+\]\s*=[^=])/;
const BOUNDED =
  /\b(lru|evict|delete|maxlen|max_?entries|max_?size|capacity|trim|shift\(|pop\(|popleft|clear\(|reset|ring|expire|ttl|\[:0\]|slice\(-|remove|bounded|limit)/i;

function growingCollections(file: FileDiff): Found[] {
  const present = linesOf(file, '+', ' ');
  if (present.some((line) => BOUNDED.test(line))) return [];
  const shared = new Set(
    present
      .filter((line) => COLLECTION.test(line) && indentOf(line) === 0)
      .flatMap((line) => SHARED.exec(line.slice(0, 160))?.[1] ?? []),
  );
  for (const line of linesOf(file, '+')) {
    const match = GROWS.exec(line);
    const name = match?.[2] ?? '';
    const isShared = shared.has(name);
    // A member of an object may live as long: likely where the object is a receiver, not a local that is filled.
    const isMember = /^(self|this|[a-z]{1,2})\.$/.test(match?.[1] ?? '') && indentOf(line) > 0;
    if (!match || !(isShared || isMember)) continue;
    return [
      {
        name: 'unbounded-growth',
        strength: isShared ? 0.95 : 0.5,
        does: `lets ${name} grow without bound`,
        anchors: [],
      },
    ];
  }
  return [];
}

const TASK =
  /\bgo\s+(func\b|\w[\w.]*\()|new Thread\(|\.submit\(|setInterval\(|addEventListener\(|\.on\(\s*['"]|\.subscribe\(|create_task\(|spawn\(|CompletableFuture|Task\.Run/;

function tasksPerCall(file: FileDiff, removed: ReadonlySet<string>): Found[] {
  const started = linesOf(file, '+').find((line) => TASK.test(line) && indentOf(line) > 0 && !removed.has(line.trim()));
  if (started === undefined) return [];
  return [
    {
      name: 'task-per-call',
      strength: 0.8,
      does: `starts a task on each call (${started.trim().slice(0, 80)})`,
      anchors: [],
    },
  ];
}
