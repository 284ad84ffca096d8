/**
 * Clients of the two programs for `@solana/kit`, generated from their interface descriptions: instructions, accounts,
 * addresses, errors.
 *
 * @packageDocumentation
 */

export * as licensing from './generated/licensing/index.js';
export * as payments from './generated/payments/index.js';
export { toKitInstructions } from './kit-instructions.js';
