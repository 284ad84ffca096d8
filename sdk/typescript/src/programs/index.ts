/**
 * What a platform does on chain before it pays, and clients of the two programs for `@solana/kit`, generated from their interface descriptions: instructions, accounts,
 * addresses, errors.
 *
 * @packageDocumentation
 */

export * as licensing from './generated/licensing/index.js';
export * as payments from './generated/payments/index.js';
export {
  ChannelClient,
  type AcceptanceRequest,
  type ChannelClientOptions,
  type ChannelRequest,
} from './channel-client.js';
export { toKitInstructions } from './kit-instructions.js';
