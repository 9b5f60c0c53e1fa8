/** Builds the foreign ends for `npm run bench relay`, `bench postcard` and the gate of postcard codecs, each where its toolchain is; says what it had to leave out. */
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const here = fileURLToPath(new URL('.', import.meta.url));
const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';

/** What makes one peer, in its folder, and the file that is the result. */
type Recipe = { readonly folder: string; readonly command: readonly string[]; readonly result?: string };

/** What a folder requires, behind the newest Python that is here: pohlednice wants 3.12. */
const venv = (folder: string): Recipe => ({
  folder,
  command: [
    'sh',
    '-c',
    `for python in python3.14 python3.13 python3.12 python3; do $python -c '' 2>/dev/null && break; done
     $python -m venv --clear ../built/${folder} &&
     ../built/${folder}/bin/pip install --quiet --disable-pip-version-check -r requirements.txt`,
  ],
});

const RECIPES: readonly Recipe[] = [
  { folder: 'yamux-go', command: ['go', 'build', '-o', '../built/yamux-go', '.'] },
  {
    folder: 'yamux-rust',
    command: ['cargo', 'build', '--release', '--quiet', '--target-dir', '../built/target'],
    result: 'built/target/release/yamux-rust',
  },
  {
    folder: 'postcard-rust',
    command: ['cargo', 'build', '--release', '--quiet', '--target-dir', '../built/target'],
    result: 'built/target/release/postcard-rust',
  },
  {
    folder: 'postcard-bindgen',
    command: ['cargo', 'build', '--release', '--quiet', '--target-dir', '../built/target'],
    result: 'built/target/release/postcard-bindgen',
  },
  venv('postcard-python'),
  venv('yamux-python'),
  { folder: 'yamux-npm', command: [npm, 'install', '--no-audit', '--no-fund', '--no-package-lock'] },
];

mkdirSync(`${here}built`, { recursive: true });
for (const { folder, command, result } of RECIPES) {
  const [file = '', ...args] = command;
  const { status, error, stderr } = spawnSync(file, args, { cwd: `${here}${folder}`, encoding: 'utf8' });
  if (status === 0) {
    if (result !== undefined) copyFileSync(`${here}${result}`, `${here}built/${folder}`);
    console.log(`${folder}: built`);
  } else {
    const last = stderr?.trim().split('\n').at(-1);
    console.log(`${folder}: left out, ${error === undefined ? last : `${file} is not here`}`);
  }
}
