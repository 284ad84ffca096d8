/**
 * Wallets of the browser and session keys: the wallet signs once to open a channel, the page's key signs vouchers.
 *
 * @packageDocumentation
 */

export { connectWallet, supportsSolana, type Wallet, type WalletAccount } from './wallet-standard.js';
export { createWalletSigner } from './wallet-signer.js';
export { deleteSessionKey, sessionSigner } from './session-key.js';
