/** What the programs use and Node 20 does not have yet. In the packed tarball every file that needs it imports this first. */

type Resolvers = { withResolvers?: () => unknown };

(Promise as Resolvers).withResolvers ??= () => {
  let resolve: unknown;
  let reject: unknown;
  const promise = new Promise((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
};
