import { describe, expect, it } from 'vitest';
import { timeSkipping } from './time-skipping.ts';

const at = await timeSkipping('release-needs-attention', { hosts: ['dev'] });

describe('REL-8 a step that keeps failing', () => {
  it.each([
    ['updateConfig', (web: string) => `dev/${web}`],
    ['activate', () => 'dev'],
    ['endRelease', () => 'records'],
  ])(
    '%s: the release says so after some minutes, and goes on by itself once that is mended',
    async (activity, where) => {
      const web = await at.world.deployable();
      const request = await at.world.aRelease({ deployables: [web], environments: ['dev'] });
      const handle = await at.start(request);
      await at.documented(request);
      at.around.faults.on({ point: 'before-transaction', of: activity });
      await at.approve(request);
      await at.met(`before-transaction of ${activity}`);
      await at.env.sleep('7 minutes');
      const { problems } = await at.stateOf(request);
      expect(problems).toMatchObject([{ where: where(web.name), message: expect.stringContaining('keeps failing') }]);
      expect((await handle.describe()).searchAttributes).toMatchObject({ Status: ['needs-attention'] });
      at.around.faults.off();
      expect(await handle.result()).toMatchObject({ status: 'released' });
      expect((await handle.describe()).searchAttributes).toMatchObject({ Status: ['released'] });
    },
  );
});
