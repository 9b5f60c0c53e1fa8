/**
 * An image without a registry: the tools of a gateway out of Debian packages, with the libraries they load, and the Node that
 * runs this. Nothing is installed on the machine, and no root is needed.
 */
import { execFile } from 'node:child_process';
import { copyFile, mkdir, readdir, realpath, symlink, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';

/** Packages whose programs (or, for Node, libraries) the image holds. */
export const PACKAGES = [
  'dash',
  'busybox-static',
  'nftables',
  'iproute2',
  'conntrack',
  'ethtool',
  'libc6',
  'libstdc++6',
  'libatomic1',
] as const;
/** Programs taken out of them, besides busybox. */
export const PROGRAMS = ['dash', 'nft', 'ip', 'tc', 'ss', 'conntrack', 'ethtool'] as const;
const NAME_SERVICE = ['libnss_files.so.2', 'libnss_dns.so.2', 'libresolv.so.2'] as const;

const exec = promisify(execFile);
const run = async (folder: string, program: string, ...args: readonly string[]): Promise<string> =>
  (await exec(program, args, { cwd: folder, maxBuffer: 64 << 20, env: { ...process.env, LC_ALL: 'C' } }))
    .stdout;

/** Packages to fetch, from what `apt-cache depends --recurse` printed: those wanted and the libraries among the rest. */
export const packagesOf = (depends: string): readonly string[] => {
  const wanted = new Set<string>(PACKAGES);
  const names = depends
    .split('\n')
    // a dependency is indented, and a virtual package stands in <>: each real one has a line of its own
    .filter((name) => /^[a-z0-9][a-z0-9+.:-]*$/.test(name))
    .filter((name) => wanted.has(name) || /^(lib|zlib)/.test(name))
    .filter((name) => !/^lib(debconf|pam|perl)/.test(name));
  return [...new Set(names)].sort();
};

/** Files of the libraries, from what `ld.so --list` printed (`libx.so.1 => /path (0x..)`). */
export const librariesOf = (listing: string): readonly string[] =>
  [...listing.matchAll(/=> (\/\S+)/g)].map((found) => found[1] as string);

type Found = ReadonlyMap<string, string>;

/** Programs and shared libraries under a folder, by name (a package's other files may have a program's name). */
const filesByName = async (folder: string): Promise<Found> => {
  const found = new Map<string, string>();
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true }))
    if (!entry.isDirectory() && /\/(s?bin|lib64|lib(\/[^/]+-linux-[^/]+)?)$/.test(entry.parentPath))
      found.set(entry.name, join(entry.parentPath, entry.name));
  return found;
};

const must = (found: Found, name: string): string => {
  const path = found.get(name);
  if (path === undefined) throw new Error(`none of the packages holds ${name}`);
  return path;
};

const POLITE = [
  ...['-o', 'APT::Sandbox::User=root', '-o', 'DPkg::Lock::Timeout=60'],
  ...['-o', 'Acquire::http::Timeout=20', '-o', 'Acquire::Retries=1'],
];
const ONLY_NEEDED = ['recommends', 'suggests', 'conflicts', 'breaks', 'replaces', 'enhances'].map(
  (kind) => `--no-${kind}`,
);

const download = async (folder: string, debs: string, options: readonly string[]): Promise<void> => {
  const asked = ['depends', '--recurse', ...ONLY_NEEDED, ...options, ...PACKAGES];
  const packages = packagesOf(await run(folder, 'apt-cache', ...asked));
  await run(debs, 'apt-get', 'download', '-qq', ...options, ...packages);
};

/** Fetches the packages by the machine's package lists, or by fresh ones of its own where those are missing or too old. */
const fetchPackages = async (folder: string, debs: string): Promise<void> => {
  // without lists apt still knows what is installed, but not where it came from: `madison` names sources only
  if ((await run(folder, 'apt-cache', 'madison', 'conntrack')).trim() !== '')
    try {
      return await download(folder, debs, POLITE);
    } catch {
      // a package the lists name is no longer there: fresh lists will tell
    }
  const [lists, cache] = [join(folder, 'lists'), join(folder, 'cache')];
  for (const made of [join(lists, 'partial'), join(cache, 'archives', 'partial')])
    await mkdir(made, { recursive: true });
  const own = [...POLITE, '-o', `Dir::State::lists=${lists}`, '-o', `Dir::Cache=${cache}`];
  await run(folder, 'apt-get', 'update', '-qq', ...own);
  await download(folder, debs, own);
};

/** Fetches and unpacks the packages into `folder`/x. */
const unpack = async (folder: string): Promise<string> => {
  const [debs, unpacked] = [join(folder, 'debs'), join(folder, 'x')];
  for (const made of [debs, unpacked]) await mkdir(made, { recursive: true });
  await fetchPackages(folder, debs);
  for (const deb of await readdir(debs)) await run(debs, 'dpkg-deb', '-x', deb, unpacked);
  return unpacked;
};

/**
 * Makes the image's file tree in `folder`/root.
 * @param node a Linux Node binary of this machine's architecture; ends up as /usr/local/bin/node
 * @returns the tree's folder
 * @throws Error with what the failing program said
 */
export const buildRoot = async (folder: string, node: string): Promise<string> => {
  const unpacked = await unpack(folder);
  const found = await filesByName(unpacked);
  const loader = [...found.keys()].find((name) => /^ld-linux-.*\.so\.\d+$/.test(name));
  if (loader === undefined) throw new Error('libc6 holds no ld-linux');
  const libraries = [
    ...new Set([...found.values()].filter((path) => path.includes('.so')).map((path) => join(path, '..'))),
  ];
  const root = join(folder, 'root');
  for (const made of [
    'bin',
    'usr/sbin',
    'usr/local/bin',
    'lib',
    'lib64',
    'etc',
    'tmp',
    'proc',
    'sys',
    'root',
    'run',
  ])
    await mkdir(join(root, made), { recursive: true });
  const needed = new Set<string>();
  const put = async (from: string, to: string): Promise<void> => {
    await copyFile(await realpath(from), join(root, to));
    const listing = await run(
      folder,
      must(found, loader),
      '--library-path',
      libraries.join(':'),
      '--list',
      from,
    );
    for (const library of librariesOf(listing)) needed.add(library);
  };
  await put(node, 'usr/local/bin/node');
  for (const program of PROGRAMS)
    await put(must(found, program), program === 'dash' ? 'bin/dash' : `usr/sbin/${program}`);
  for (const name of NAME_SERVICE) if (found.has(name)) needed.add(must(found, name));
  // the loader looks in /lib and /lib64 by itself: no multiarch folder is needed
  for (const library of needed) await copyFile(await realpath(library), join(root, 'lib', basename(library)));
  await copyFile(
    await realpath(must(found, loader)),
    join(root, loader.includes('x86-64') ? 'lib64' : 'lib', loader),
  );
  await copyFile(must(found, 'busybox'), join(root, 'bin/busybox'));
  const ours = new Set<string>(PROGRAMS);
  // busybox's own sh prefers its applets to programs (`ip` would be its own): dash is /bin/sh
  for (const applet of (await run(folder, join(root, 'bin/busybox'), '--list')).trim().split('\n'))
    if (!ours.has(applet) && applet !== 'busybox')
      await symlink(applet === 'sh' ? 'dash' : 'busybox', join(root, 'bin', applet));
  await writeFile(join(root, 'etc/passwd'), 'root:x:0:0:root:/root:/bin/sh\n');
  await writeFile(join(root, 'etc/group'), 'root:x:0:\n');
  await writeFile(join(root, 'etc/nsswitch.conf'), 'hosts: files dns\n');
  return root;
};
