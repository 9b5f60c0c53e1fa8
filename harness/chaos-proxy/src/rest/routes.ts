import { API_ERRORS, ApiError } from './api-error.ts';
import { parseBody } from './json.ts';
import { metricsText } from './metrics.ts';
import type { ProxyStore } from './proxy-store.ts';
import { toxicJson } from './toxic.ts';

/** What a handler is given: the store, the names in the path, and the body once it has been read. */
export type Call = {
  readonly store: ProxyStore;
  readonly proxy: string;
  readonly toxic: string;
  readonly body: string;
  readonly version: string;
};
export type Reply = { readonly status: number; readonly type?: string; readonly body?: string };
type Handler = (call: Call) => Reply | Promise<Reply>;

const json = (value: unknown, status = 200): Reply => ({
  status,
  type: 'application/json',
  body: JSON.stringify(value),
});
const NOTHING: Reply = { status: 204 };

/** An error as Toxiproxy writes it. */
export const errorReply = (error: ApiError): Reply => ({
  status: error.status,
  type: 'application/json',
  body: `${JSON.stringify(error)}\n`,
});

/** Proxies in a map: plain objects would take `__proto__` for something else. */
const mapped = (rows: readonly (readonly [string, unknown])[]): unknown => Object.fromEntries(rows);

const populate: Handler = async ({ store, body }) => {
  try {
    const { proxies, error } = await store.populate(parseBody(body));
    return json({ ...error?.toJSON(), proxies }, error?.status ?? 201);
  } catch (error) {
    if (error instanceof ApiError) return json({ ...error.toJSON(), proxies: [] }, error.status);
    throw error;
  }
};
const updateProxy: Handler = async ({ store, proxy, body }) => {
  store.get(proxy);
  return json(await store.update(proxy, parseBody(body)));
};
const updateToxic: Handler = async ({ store, proxy, toxic, body }) =>
  json(
    toxicJson(
      await store.toxics(proxy, (served) => {
        served.toxic(toxic);
        return served.changeToxic(toxic, parseBody(body));
      }),
    ),
  );

/** Every route: the path (`:proxy` and `:toxic` take one segment), and what each method does there. */
export const ROUTES: readonly {
  readonly path: string;
  readonly methods: Readonly<Record<string, Handler>>;
}[] = [
  {
    path: '/reset',
    methods: {
      POST: async ({ store }) => {
        await store.reset();
        return NOTHING;
      },
    },
  },
  { path: '/populate', methods: { POST: populate } },
  {
    path: '/proxies',
    methods: {
      GET: ({ store }) => json(mapped(store.proxies.map((proxy) => [proxy.name, proxy]))),
      POST: async ({ store, body }) => json(await store.create(parseBody(body)), 201),
    },
  },
  {
    path: '/proxies/:proxy',
    methods: {
      GET: ({ store, proxy }) => json(store.get(proxy)),
      POST: updateProxy,
      PATCH: updateProxy,
      DELETE: async ({ store, proxy }) => {
        await store.remove(proxy);
        return NOTHING;
      },
    },
  },
  {
    path: '/proxies/:proxy/receipts',
    methods: { GET: ({ store, proxy }) => json(store.get(proxy).receipts()) },
  },
  {
    path: '/proxies/:proxy/toxics',
    methods: {
      GET: ({ store, proxy }) => json(store.get(proxy).toxics.map(toxicJson)),
      POST: async ({ store, proxy, body }) => {
        const add = () => store.toxics(proxy, (served) => served.addToxic(parseBody(body)));
        return json(toxicJson(await add()));
      },
    },
  },
  {
    path: '/proxies/:proxy/toxics/:toxic',
    methods: {
      GET: ({ store, proxy, toxic }) => json(toxicJson(store.get(proxy).toxic(toxic))),
      POST: updateToxic,
      PATCH: updateToxic,
      DELETE: async ({ store, proxy, toxic }) => {
        await store.toxics(proxy, (served) => served.removeToxic(toxic));
        return NOTHING;
      },
    },
  },
  { path: '/dump', methods: { GET: ({ store }) => json(store.dump()) } },
  {
    path: '/version',
    methods: {
      GET: ({ version }) => ({
        status: 200,
        type: 'application/json;charset=utf-8',
        body: `{"version": "${version}"}\n`,
      }),
    },
  },
  {
    path: '/metrics',
    methods: {
      GET: ({ store }) => ({
        status: 200,
        type: 'text/plain; version=0.0.4; charset=utf-8',
        body: metricsText(store.proxies),
      }),
    },
  },
];

/** The route of a path, and the names in it; undefined: there is none. */
export const findRoute = (path: string) => {
  const segments = path.split('/');
  for (const route of ROUTES) {
    const wanted = route.path.split('/');
    if (wanted.length !== segments.length) continue;
    const names: Record<string, string> = {};
    const fits = wanted.every((word, i) => {
      if (!word.startsWith(':')) return word === segments[i];
      names[word.slice(1)] = decoded(segments[i] as string);
      return segments[i] !== '';
    });
    if (fits) return { route, proxy: names.proxy ?? '', toxic: names.toxic ?? '' };
  }
  return undefined;
};

const decoded = (segment: string): string => {
  try {
    return decodeURIComponent(segment);
  } catch {
    throw API_ERRORS.badBody(`path: '${segment}' is not percent-encoded UTF-8`);
  }
};
