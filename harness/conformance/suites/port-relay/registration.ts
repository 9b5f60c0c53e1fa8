/** How a relay answers the first lines of a connection. */
import { serverCases } from '../../case.ts';

export const REGISTRATION = serverCases({
  name: 'reg/client-speaks-first',
  title: 'a relay says nothing before the first line',
  clause: 'PORT-CTRL-1',
  needs: [],
  run: async (it) => {
    const control = await it.dial('control');
    await control.expectSilence(500, 'before the first line of the client');
  },
});
