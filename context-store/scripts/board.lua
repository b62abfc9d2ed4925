-- Stands before every script that changes a board. A board is one hash, so that it ends, or is evicted, whole or not at all,
-- and is in one slot of a cluster. Its fields: `schema`; `dropped`; `count:<kind>`; `tasks:<id>`, `findings:<id>`,
-- `evidence:<id>`, `gaps:<id>`, `votes:<id>` with the item's place, a space and its JSON; `hypotheses:<round>` with their number,
-- a space and their JSON list; and of each task `token:<id>`, `holder:<id>`, `until:<id>` (end of the lease, ms by this server's
-- clock), `done:<id>` (the token that it was done under), `answer:<id>` (JSON); `supervisor`: the greatest token that
-- hypotheses or votes came under.
-- KEYS[1]: the board. ARGV[1]: schema that the caller knows; ARGV[2]: how long the board is kept after this (ms).
-- Answers {'schema', the one found} when another version wrote the board.
local board, schema, ttl = KEYS[1], ARGV[1], ARGV[2]
local found = redis.call('HGET', board, 'schema')
if found and found ~= schema then return { 'schema', found } end

local function get(field) return redis.call('HGET', board, field) end
local function has(field) return redis.call('HEXISTS', board, field) == 1 end
local function count(kind) return tonumber(get('count:' .. kind) or '0') end
local function keep() redis.call('PEXPIRE', board, ttl) end

-- Begins the board where there is none, or a dropped one.
local function begin()
  if has('dropped') then redis.call('DEL', board) end
  redis.call('HSET', board, 'schema', schema)
end

-- Of `number` items from ARGV[first] on, each an id and a JSON, those that are not there yet.
local function fresh(kind, first, number)
  local items, seen = {}, {}
  local begun = not has('dropped')
  for index = first, first + 2 * number - 2, 2 do
    local id = ARGV[index]
    if not seen[id] and not (begun and has(kind .. ':' .. id)) then
      seen[id] = true
      items[#items + 1] = { id, ARGV[index + 1] }
    end
  end
  return items, (begun and count(kind) or 0) + #items
end

local function add(kind, items)
  for _, item in ipairs(items) do
    local place = redis.call('HINCRBY', board, 'count:' .. kind, 1)
    redis.call('HSET', board, kind .. ':' .. item[1], place .. ' ' .. item[2])
  end
end

-- Whether this is the newest supervisor that wrote so far; from now on it is.
local function leads(token)
  if not has('dropped') and tonumber(token) < tonumber(get('supervisor') or '0') then return false end
  begin()
  redis.call('HSET', board, 'supervisor', token)
  return true
end

-- True while the claim with this token rules the task.
local function rules(task, token) return get('token:' .. task) == token and not has('done:' .. task) end

local function now_us()
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000000 + tonumber(time[2])
end
local function text(number) return string.format('%.0f', number) end
