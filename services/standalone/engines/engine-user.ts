/** The user that an engine runs as. PostgreSQL refuses root, so under root it runs as a user without rights. */
import { readFileSync, realpathSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { StartError } from '../../../lib/base/start-error.js';

/** Undefined: as ourselves. */
export type EngineUser = { uid: number; gid: number } | undefined;

/** In this order; `nobody` comes last since other programs may run as it too. */
const CANDIDATES = ['quittance', 'postgres', '_postgres', 'nobody'];

/**
 * The user for an engine whose data lies in `directory`: the owner of existing data, so that any user who may
 * start Quittance can read it; else, for root, a system user that exists. Quittance creates no user: the operator decides that.
 *
 * @throws StartError if root finds no such user, or if the data belongs to another user and we are not root.
 */
export function engineUserFor(directory: string): EngineUser {
  const me = process.getuid?.();
  if (me === undefined) return undefined;
  const owner = statSync(directory, { throwIfNoEntry: false });
  if (me !== 0) {
    if (!owner || owner.uid === me) return undefined;
    throw new StartError(
      `${directory} belongs to user ${String(owner.uid)}; start Quittance as that user or as root`,
    );
  }
  if (owner && owner.uid !== 0) return { uid: owner.uid, gid: owner.gid };
  const users = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'));
  for (const candidate of CANDIDATES) {
    const user = users.find(([name]) => name === candidate);
    const [uid, gid] = [Number(user?.[2]), Number(user?.[3])];
    if (uid > 0 && gid > 0) return { uid, gid };
  }
  throw new StartError(
    'PostgreSQL does not run as root; start Quittance as another user, or add one: useradd -r quittance',
  );
}

/** The first directory on the way to `path` that others may not pass, if there is one. */
export function firstClosedDirectory(path: string): string | undefined {
  for (let at = realpathSync(path); ; at = dirname(at)) {
    if ((statSync(at).mode & 0o001) === 0) return at;
    if (at === dirname(at)) return undefined;
  }
}
