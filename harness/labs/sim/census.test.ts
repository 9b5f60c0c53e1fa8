import t from 'tap';
import { Census } from './census.ts';

const said = (census: Census, now: number, last = false): readonly string[] =>
  [...census.rows(now, last)].map(({ event, second, count }) => `${second} ${event} ${count}`);

t.test('rows are by the second and by name, and say how many got and lost a port', (t) => {
  const census = new Census();
  const [a, b] = [{ up: false }, { up: false }];
  for (const client of [a, b]) census.heard('client.dialing', client);
  census.heard('client.registered', a);
  t.strictSame(said(census, 500), [], 'the second is not over');
  t.strictSame(said(census, 1_000), ['0 client.dialing 2', '0 client.registered 1', '0 client.up 1']);
  census.heard('client.lost', a);
  census.heard('client.lost', a);
  census.heard('client.lost', b);
  census.heard('client.stopped', b);
  t.strictSame(
    said(census, 1_200, true),
    ['1 client.down 1', '1 client.lost 3', '1 client.stopped 1'],
    'only the one that had a port lost it, and once',
  );
  t.end();
});
