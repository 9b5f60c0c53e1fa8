// A small relay that knows pools only, for the sample of a workflow: `node my-relay.mjs PORT`.
import { randomBytes } from 'node:crypto';
import { createServer } from 'node:net';

const HOST = '127.0.0.1';
const LINE_MAX = 256;
/** Pools by id: connections that wait for users, and users that wait for connections. */
const pools = new Map();

const join = (user, member) => {
  for (const [from, to] of [
    [user, member],
    [member, user],
  ]) {
    from.pipe(to);
    from.on('error', () => to.resetAndDestroy());
  }
};

const match = (pool) => {
  while (pool.users.length > 0 && pool.members.length > 0) join(pool.users.shift(), pool.members.shift());
};

/** Kept in the list until it is joined, or gone. */
const wait = (list, socket, pool) => {
  list.push(socket);
  const leave = () => {
    const at = list.indexOf(socket);
    if (at < 0) return;
    list.splice(at, 1);
    socket.destroy();
  };
  // what a pooled connection says early stays in its buffer, and so does its end: it is looked for there
  socket.once('readable', () => {
    if (socket.readableLength === 0) leave();
  });
  socket.once('close', leave);
  match(pool);
};

const newPool = (socket) => {
  const id = randomBytes(16).toString('hex');
  const pool = { users: [], members: [] };
  const door = createServer({ allowHalfOpen: true, noDelay: true }, (user) => {
    user.on('error', () => {});
    wait(pool.users, user, pool);
  });
  door.listen(0, HOST, () => {
    pools.set(id, pool);
    socket.write(`${door.address().port}\n${id}\n`);
    wait(pool.members, socket, pool);
  });
};

const said = (socket, [mode, word]) => {
  if (mode !== 'pool') return socket.destroy();
  if (word === 'new') return newPool(socket);
  const pool = pools.get(word);
  return pool === undefined ? socket.destroy() : wait(pool.members, socket, pool);
};

createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
  let held = Buffer.alloc(0);
  const hear = () => {
    for (let bytes = socket.read(); bytes !== null; bytes = socket.read())
      held = Buffer.concat([held, bytes]);
    const lines = held.toString('latin1').split('\n');
    if (lines.length < 3) {
      const wrong = lines.length > 1 && !/^pool\r?$/.test(lines[0]);
      if (wrong || held.length > LINE_MAX || socket.readableEnded) socket.destroy();
      return;
    }
    socket.off('readable', hear);
    const rest = held.subarray(lines[0].length + lines[1].length + 2);
    if (rest.length > 0) socket.unshift(rest);
    said(
      socket,
      lines.slice(0, 2).map((line) => line.replace(/\r$/, '')),
    );
  };
  socket.on('error', () => {}).on('readable', hear);
  socket.once('end', () => {
    if (held.length === 0 || !held.includes(0x0a)) socket.destroy();
  });
}).listen(Number(process.argv[2]), HOST);
