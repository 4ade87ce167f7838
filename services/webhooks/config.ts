/** The variable of webhooks: the same for the embedded process and for the projector. */
import { bad, type Environment, valueOf } from '../../lib/base/environment.js';
import { networks } from './addresses.js';

export const WEBHOOK_NETWORKS_VARIABLE = 'QUITTANCE_WEBHOOK_NETWORKS';

/** What it means, for `--help`. */
export const WEBHOOK_NETWORKS_HELP =
  'private networks that webhooks may reach, also by http, separated by commas (default: none)';

/** Networks such as `10.1.0.0/16`. @throws StartError */
export function readWebhookNetworks(env: Environment): readonly string[] {
  const value = valueOf(env, WEBHOOK_NETWORKS_VARIABLE) ?? '';
  const named = value
    .split(',')
    .map((each) => each.trim())
    .filter((each) => each !== '');
  for (const network of named) {
    try {
      networks([network]);
    } catch {
      throw bad(WEBHOOK_NETWORKS_VARIABLE, network, 'networks such as 10.1.0.0/16,fd00::/8');
    }
  }
  return named;
}
