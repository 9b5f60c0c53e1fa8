import t from 'tap';
import { announcesAck, greet, greetResponse } from './greeting.ts';

const VERSIONS: readonly (readonly [version: string, announces: boolean])[] = [
  ['0.6.0', false],
  ['', false],
  ['relaylab-ack-1', false],
  ['0.6.0+relaylab-ack-1', true],
  ['0.7.0-rc.1+build.5.relaylab-ack-1', true],
  ['0.6.0+relaylab-ack-10', false],
  ['0.6.0+relaylab-ack', false],
];
t.test('acknowledgement is one part of the build metadata of a version, nothing else', async (t) => {
  for (const [version, announces] of VERSIONS)
    t.equal(announcesAck(version), announces, JSON.stringify(version));
});

t.test('both greetings announce it only when it is wanted', async (t) => {
  for (const wanted of [true, false]) {
    const greeting = greet(wanted);
    t.equal(greeting.tag === 'Greet' && announcesAck(greeting.value.relay_plugin_version), wanted);
    const response = greetResponse(true, wanted);
    t.equal(
      response.tag === 'GreetResponse' && announcesAck(response.value.server_relay_plugin_version),
      wanted,
    );
  }
});
