/** Scripts over the generations of a view. Each touches keys of one slot only. */

/** KEYS[1] registry; ARGV[1] the first number of an empty one, ARGV[2] 1: only if none serves. The number, new or serving. */
export const allot = `
if ARGV[2] == '1' then
  local serving = redis.call('HGET', KEYS[1], 'serving')
  if serving then return serving end
end
local last = redis.call('HGET', KEYS[1], 'last')
local number = last and tonumber(last) + 1 or tonumber(ARGV[1])
redis.call('HSET', KEYS[1], 'last', number, number, 'present')
return number`;

/** KEYS[1] registry; ARGV[1] a generation that serves from now on if none does. */
export const serveFirst = `
return redis.call('HSETNX', KEYS[1], 'serving', ARGV[1])`;

/** KEYS[1] registry; ARGV[1] generation. 1, or 0 if it is not there. */
export const switchTo = `
if redis.call('HEXISTS', KEYS[1], ARGV[1]) == 0 then return 0 end
redis.call('HSET', KEYS[1], 'serving', ARGV[1])
return 1`;

/** KEYS[1] registry; ARGV[1] generation. 1, or 0 if it serves or is not there. */
export const drop = `
if redis.call('HGET', KEYS[1], 'serving') == ARGV[1] then return 0 end
return redis.call('HDEL', KEYS[1], ARGV[1])`;

/**
 * KEYS[1] registry; ARGV[1] a generation whose data is gone. 1 if it is not there and another serves; else 0, and if it
 * served none does now.
 */
export const lose = `
local serving = redis.call('HGET', KEYS[1], 'serving')
if serving and serving ~= ARGV[1] then return 1 end
if serving then redis.call('HDEL', KEYS[1], 'serving') end
return 0`;

/**
 * KEYS[1] data, KEYS[2] index; ARGV[1] the checkpoint as it was judged by, ARGV[2] as it is to be, then in turn the key of an
 * entity and its value, whose first 19 characters are its version: digits, so that they compare as texts. Numbers of Lua are
 * doubles and know no money: nothing is counted here. The checkpoint afterwards; nil if the data is gone.
 */
export const apply = `
local at = redis.call('HGET', KEYS[1], '')
if not at then return nil end
if at ~= ARGV[1] then return at end
for index = 3, #ARGV, 2 do
  local value = redis.call('HGET', KEYS[1], ARGV[index])
  if not value then redis.call('ZADD', KEYS[2], 0, ARGV[index]) end
  if not value or string.sub(value, 1, 19) < string.sub(ARGV[index + 1], 1, 19) then
    redis.call('HSET', KEYS[1], ARGV[index], ARGV[index + 1])
  end
end
redis.call('HSET', KEYS[1], '', ARGV[2])
return ARGV[2]`;
