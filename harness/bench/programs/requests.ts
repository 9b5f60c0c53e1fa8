/** Requests to a child process and its answers, over the channel Node opens with `fork`. */

/** A request on its way. */
export type Call<Request> = { readonly id: number; readonly request: Request };
export type Reply =
  | { readonly id: number; readonly answer: unknown }
  | { readonly id: number; readonly error: string };

/** Serves requests until the parent is gone; then the process ends, whatever it still holds. */
export const serveRequests = <Request>(handle: (request: Request) => Promise<unknown>): void => {
  const send = (reply: Reply): void => {
    process.send?.(reply);
  };
  process.on('message', ({ id, request }: Call<Request>) => {
    handle(request).then(
      (answer) => send({ id, answer: answer ?? null }),
      (error: unknown) => send({ id, error: error instanceof Error ? (error.stack ?? '') : String(error) }),
    );
  });
  process.on('disconnect', () => process.exit(0));
};
