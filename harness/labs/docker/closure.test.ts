import t from 'tap';
import { buildRoot, librariesOf, PACKAGES, packagesOf } from './closure.ts';
import { imageTag } from './image.ts';

t.test('packages are the wanted ones and libraries, out of what apt-cache prints', async (t) => {
  const printed = [
    'nftables',
    '  Depends: libnftables1',
    '    libnftables1:i386',
    '  Depends: <virtual-thing>',
    'libnftables1',
    '<libdb-virtual>',
    'dash',
    'libc6',
    'libc6',
    'debconf',
    'libdebconfclient0',
    'libpam0g',
    'zlib1g',
    'perl-base',
    'gcc-12-base',
    'libstdc++6',
  ].join('\n');
  t.same(packagesOf(printed), ['dash', 'libc6', 'libnftables1', 'libstdc++6', 'nftables', 'zlib1g']);
  t.same(packagesOf([...PACKAGES].join('\n')), [...PACKAGES].sort());
});

t.test('libraries are the files the loader found', async (t) => {
  const printed = [
    '\tlinux-vdso.so.1 (0x00007ffd)',
    '\tlibmnl.so.0 => /x/lib/libmnl.so.0 (0x00007f)',
    '\tlibgone.so.1 => not found',
    '\t/lib64/ld-linux-x86-64.so.2 (0x00007f)',
  ].join('\n');
  t.same(librariesOf(printed), ['/x/lib/libmnl.so.0']);
});

t.test('a machine without apt is told which program is missing', async (t) => {
  const path = process.env.PATH;
  t.teardown(() => {
    process.env.PATH = path;
  });
  process.env.PATH = '/nonexistent';
  await t.rejects(buildRoot(t.testdir(), process.execPath), /apt-cache/);
});

t.test('the image’s tag is one Docker takes, the same each time', async (t) => {
  t.match(imageTag(), /^relaylab-host:[0-9a-f]{12}$/);
  t.equal(imageTag(), imageTag());
});
