/** Who is judged: ends over libraries (built by build.ts), and whole programs whose path is given. */
import { basename } from 'node:path';

const built = 'ci/peers/built';

/** `needs`: the file without which it cannot run. `command`: as it is typed in the repository's folder. */
export type Peer = {
  readonly name: string;
  readonly about: string;
  readonly profile: string;
  readonly command: string;
  readonly needs: string;
  readonly lacks?: readonly string[];
  /** Cases at a time, for one whose start takes a second of a processor. */
  readonly jobs?: number;
  /** The path in `command` that says nothing to anybody else, and what the page has in its place. */
  readonly path?: readonly [here: string, typed: string];
};

/** `behind`: what its command takes after the port. */
const yamux = (
  name: string,
  about: string,
  program: string,
  needs: string,
  behind: string = '',
): readonly Peer[] =>
  (
    [
      ['yamux', 'serve'],
      ['yamux-client', 'call'],
    ] as const
  ).map(([profile, word]) => ({
    name,
    about,
    profile,
    command: `${program} ${word} {port}${behind}`,
    needs,
  }));

const LIBRARIES: readonly Peer[] = [
  ...yamux('yamux-go', 'hashicorp/yamux 0.1.2 (Go)', `${built}/yamux-go`, `${built}/yamux-go`),
  ...yamux('go-yamux', 'libp2p/go-yamux 5.1.0 (Go)', `${built}/yamux-go -lib libp2p`, `${built}/yamux-go`),
  ...yamux('yamux-rust', 'tokio-yamux 0.3.15 (Rust)', `${built}/yamux-rust`, `${built}/yamux-rust`),
  ...yamux(
    'rust-yamux',
    'yamux 0.13.10 (Rust, of libp2p)',
    `${built}/yamux-rust`,
    `${built}/yamux-rust`,
    ' 0.13',
  ),
  ...yamux(
    'rust-yamux-0.14',
    'yamux 0.14.1 (Rust, of libp2p)',
    `${built}/yamux-rust`,
    `${built}/yamux-rust`,
    ' 0.14',
  ),
  ...yamux(
    'py-libp2p',
    'libp2p 0.8.1 (Python): its yamux',
    `${built}/yamux-python/bin/python ci/peers/yamux-python/application.py`,
    `${built}/yamux-python`,
  ).map((peer) => ({ ...peer, jobs: 1 })),
  {
    name: 'yamux-js',
    about: 'yamux-js 0.2.0 (npm)',
    // its Client has no way to take streams, so only the listening role can be judged
    profile: 'yamux',
    command: 'node ci/peers/yamux-npm/yamux-js-application.mjs serve {port}',
    needs: 'ci/peers/yamux-npm/node_modules/yamux-js',
  },
  ...yamux(
    'yamux-libp2p',
    '@libp2p/yamux 8 (npm)',
    'node ci/peers/yamux-npm/libp2p-application.mjs',
    'ci/peers/yamux-npm/node_modules/@libp2p/yamux',
  ),
];

/** Programs that are not built here: the flag that gives the path of each. */
const PROGRAMS = {
  'go-relay': (path: string): readonly Peer[] => [
    {
      name: 'go-relay',
      about: 'lyondhill/relay at 8f59299 (Go), built from its source',
      profile: 'port-relay',
      command: `${path} {port}`,
      needs: path,
    },
    {
      name: 'go-relay',
      about: 'its forwarder',
      profile: 'port-client',
      command: `${path} --localForwardPort={service} 127.0.0.1 {port}`,
      needs: path,
      lacks: ['pool', 'event'],
    },
  ],
  alumet: (path: string): readonly Peer[] =>
    (
      [
        [
          'measurement-server',
          'relay-server,csv',
          '--relay-in 127.0.0.1:{port} --output-file {output} --config {output}.toml',
        ],
        ['measurement-client', 'procfs,relay-client', '--config {config}'],
        ['socket-control', 'procfs,csv,socket-control', '--config {config}', 'replies'],
      ] as const
    ).map(([profile, plugins, words, lacks]) => ({
      name: 'alumet',
      about: 'alumet-agent 0.9.5 at afb0aa1 (Rust), built from its source',
      profile,
      command: `${path} --plugins ${plugins} ${words}`,
      needs: path,
      ...(lacks === undefined ? {} : { lacks: [lacks] }),
    })),
  strelay: (path: string): readonly Peer[] => [
    {
      name: 'strelay',
      about: "Offset's strelay at e935f8f (Rust), built from its source with Rust 1.44.0, unoptimised",
      profile: 'identity-relay',
      command: `${path} --idfile {idfile} --laddr 127.0.0.1:{port}`,
      needs: path,
    },
  ],
} as const;

export const PROGRAM_FLAGS = Object.keys(PROGRAMS) as readonly (keyof typeof PROGRAMS)[];

/** All that can be judged: the libraries built here, and the programs whose path is given. */
export const peersOf = (paths: { readonly [flag: string]: unknown }): readonly Peer[] => [
  ...LIBRARIES,
  ...PROGRAM_FLAGS.flatMap((flag) => {
    const path = paths[flag];
    if (typeof path !== 'string') return [];
    const typed = `./${basename(path)}`;
    return PROGRAMS[flag](path).map((peer): Peer => ({ ...peer, path: [path, typed] }));
  }),
];
