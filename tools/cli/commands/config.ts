/** `quittance config …`: profiles, so that addresses, ledgers and tokens are typed once. */
import { UsageError } from '../../../lib/process/command-line.js';
import { many, maybe, one } from '../flags.js';
import { put, say } from '../io.js';
import { printList } from '../printer.js';
import {
  configPath,
  isProfileKey,
  PROFILE_KEYS,
  type ProfileKey,
  readConfig,
  writeConfig,
} from '../profile.js';
import type { Session } from '../session.js';
import { CALL_FLAGS } from '../shared-flags.js';
import { PROFILE_ROWS } from '../sheets/profiles.js';
import { type Noun, verb } from '../verb.js';
import { from } from './answer.js';

const { output, columns, profile } = CALL_FLAGS;

const list = verb({
  name: 'list',
  summary: 'list what the profiles say; tokens are not shown',
  positionals: {},
  flags: { output, columns },
  examples: [['quittance config list', 'all profiles']],
  run: async ({ io, format }) => {
    const { profile: current, profiles } = readConfig(io);
    const rows = Object.entries(profiles).flatMap(([name, settings]) =>
      Object.entries(settings).map(([key, setting]) => ({
        name,
        isCurrent: name === current,
        key,
        value: key === 'token' ? '(set)' : setting,
      })),
    );
    await printList(io, format, PROFILE_ROWS, from(rows));
    say(io, `${configPath(io)}, profile ${current}`);
    return undefined;
  },
});

const set = verb({
  name: 'set',
  summary: 'keep a setting in the profile',
  positionals: {
    key: one(Object.keys(PROFILE_KEYS).join(', ')),
    value: maybe('its value; a token is read from the standard input'),
  },
  flags: { profile },
  examples: [
    ['quittance config set address ledger.example.com:50051', 'where the server is'],
    ['quittance config set ledger tour', 'the ledger of commands that name none'],
    ['quittance config set token < key.txt', 'a token, which no history of a shell keeps'],
  ],
  run: async (session, { args: { key, value } }) => {
    const known = keyOf(key);
    const setting = value ?? (await firstLine(session));
    change(session, (settings) => {
      settings.set(known, setting);
    });
    return undefined;
  },
});

const unset = verb({
  name: 'unset',
  summary: 'forget settings of the profile',
  positionals: { keys: many('their names') },
  flags: { profile },
  examples: [['quittance config unset token', 'calls carry none then']],
  run: async (session, { args: { keys } }) => {
    change(session, (settings) => {
      for (const key of keys) settings.delete(keyOf(key));
    });
    return undefined;
  },
});

const use = verb({
  name: 'use',
  summary: 'choose the profile of commands that name none',
  positionals: { name: one('the profile') },
  flags: {},
  examples: [['quittance config use production', 'from now on']],
  run: async ({ io }, { args: { name } }) => {
    const config = readConfig(io);
    if (config.profiles[name] === undefined)
      throw new UsageError(
        `there is no profile ${JSON.stringify(name)}; quittance config set --profile ${name} makes it`,
      );
    writeConfig(io, { profile: name, profiles: config.profiles });
    return undefined;
  },
});

const path = verb({
  name: 'path',
  summary: 'print where the file lies',
  positionals: {},
  flags: {},
  examples: [['cat "$(quittance config path)"', 'to read it']],
  run: async ({ io }) => {
    await put(io, `${configPath(io)}\n`);
    return undefined;
  },
});

function keyOf(key: string): ProfileKey {
  const spelled = key.replaceAll('-', '_');
  if (isProfileKey(spelled)) return spelled;
  throw new UsageError(
    `${JSON.stringify(key)} is no setting; there are ${Object.keys(PROFILE_KEYS).join(', ')}`,
  );
}

function change({ io, profileName: name }: Session, edit: (settings: Map<string, string>) => void): void {
  const config = readConfig(io);
  const settings = new Map(Object.entries(config.profiles[name] ?? {}));
  edit(settings);
  const profiles = { ...config.profiles, [name]: Object.fromEntries(settings) };
  writeConfig(io, { profile: config.profile, profiles });
  say(io, `profile ${name}: ${configPath(io)}`);
}

async function firstLine({ io }: Session): Promise<string> {
  let all = '';
  for await (const chunk of io.stdin.setEncoding('utf8')) all += String(chunk);
  const [line = ''] = all.split('\n');
  if (line.trim() === '') throw new UsageError('the standard input is empty; name the value');
  return line.trim();
}

export const CONFIG: Noun = {
  name: 'config',
  plural: 'configs',
  summary: 'profiles: addresses, ledgers and tokens',
  verbs: [list, set, unset, use, path],
};
