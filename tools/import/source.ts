/** What is imported, as bytes that can be read several times. A pipe is kept in a temporary file for that. */
import { type FileHandle, mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { BadFileError } from './problems.js';

/** The bytes of a file or of a pipe. */
export interface Source {
  readonly size_bytes: number;
  /** All bytes from the beginning, at every call. */
  read(): Readable;
  /** The first bytes, to tell formats apart. */
  head(): Promise<Buffer>;
  /** Whether the file has been written to since it was opened. */
  isChanged(): Promise<boolean>;
  close(): Promise<void>;
}

const HEAD_BYTES = 4096;

/**
 * Opens a file, or keeps what comes from a pipe in a temporary file that only this process can read.
 * @param name a path; `-` is `stdin`. @throws BadFileError for a file that cannot be read.
 */
export async function openSource(name: string, stdin: Readable): Promise<Source> {
  if (name === '-') return spooled(stdin);
  const handle = await open(name, 'r').catch((error: unknown) => {
    throw new BadFileError([`${name} cannot be read (${codeOf(error)})`]);
  });
  const stat = await handle.stat();
  if (stat.isFile()) return sourceOf(handle, async () => handle.close());
  if (stat.isDirectory()) {
    await handle.close();
    throw new BadFileError([`${name} is a directory; name a file, or - for the standard input`]);
  }
  try {
    return await spooled(handle.createReadStream({ autoClose: false }));
  } finally {
    await handle.close();
  }
}

async function spooled(stream: Readable): Promise<Source> {
  const directory = await mkdtemp(join(tmpdir(), 'quittance-import-'));
  const remove = async (): Promise<void> => rm(directory, { recursive: true, force: true });
  try {
    const handle = await open(join(directory, 'piped'), 'wx+', 0o600);
    // Where a file can be removed while it is open (not on Windows), not even kill -9 leaves it behind.
    if (process.platform !== 'win32') await remove();
    for await (const chunk of stream as AsyncIterable<Uint8Array>) await handle.appendFile(chunk);
    return await sourceOf(handle, async () => {
      await handle.close();
      await remove();
    });
  } catch (error) {
    await remove();
    throw error;
  }
}

async function sourceOf(handle: FileHandle, close: () => Promise<void>): Promise<Source> {
  const { size, mtimeMs } = await handle.stat();
  return {
    size_bytes: size,
    read: () => handle.createReadStream({ start: 0, autoClose: false }),
    head: async () => {
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0);
      return buffer.subarray(0, bytesRead);
    },
    isChanged: async () => {
      const now = await handle.stat();
      return now.size !== size || now.mtimeMs !== mtimeMs;
    },
    close,
  };
}

/** ENOENT and the like. */
function codeOf(error: unknown): string {
  return typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : String(error);
}
