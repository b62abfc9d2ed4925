/** Unpacks a part of a data set (`data.tar.zst`) into a temporary folder that is removed when the run ends. */
import { createReadStream, existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { constants, createZstdDecompress } from 'node:zlib';
import { extract } from 'tar';
import { errorMessage, InputError } from '../platform/errors.ts';

export interface UnpackedDataset {
  /** Of the data set's folder. */
  readonly name: string;
  /** The asked part's files. */
  readonly partDir: string;
  /** Files shared by all parts; undefined where the data set has none. */
  readonly commonDir: string | undefined;
  /** Where the part's labels are, if they are given out. */
  readonly labelsPath: string | undefined;
  remove(): Promise<void>;
}

/** @param part folder name beside `common`, for example `dev`; throws InputError naming the missing file */
export async function unpackDataset(dataDir: string, part: string): Promise<UnpackedDataset> {
  const archive = join(dataDir, part, 'data.tar.zst');
  if (!existsSync(archive))
    throw new InputError(`There is no ${archive}: give --data the folder that holds ${part}/data.tar.zst.`);
  const root = await mkdtemp(join(tmpdir(), 'inquest-eval-'));
  const remove = () => rm(root, { recursive: true, force: true });
  try {
    const partDir = await unpack(archive, join(root, 'part'));
    const commonArchive = join(dataDir, 'common', 'data.tar.zst');
    const commonDir = existsSync(commonArchive) ? await unpack(commonArchive, join(root, 'common')) : undefined;
    const labels = join(dataDir, part, 'labels.json');
    return { name: basename(dataDir), partDir, commonDir, labelsPath: existsSync(labels) ? labels : undefined, remove };
  } catch (error) {
    await remove();
    throw error;
  }
}

async function unpack(archive: string, target: string): Promise<string> {
  await mkdir(target, { recursive: true });
  const decompress = createZstdDecompress({ params: { [constants.ZSTD_d_windowLogMax]: 27 } });
  try {
    await pipeline(createReadStream(archive), decompress, extract({ cwd: target, strict: true }));
  } catch (cause) {
    throw new InputError(`${archive} cannot be unpacked: ${errorMessage(cause)}.`, { cause });
  }
  return target;
}
