import { UntrustedError, type Core, type Receipt, type ReceiptKey, type ReceiptProof, type RefusedError } from '@motif/sdk';
import { useEffect, useState } from 'preact/hooks';

import { gateway, readOperator } from '../lib/catalogue.js';
import { base64Of, readAccounts } from '../lib/chain.js';
import { decode, rules } from '../lib/rules.js';
import { texts } from '../texts.js';
import { Amount, Busy, Code, ErrorBox, Field, FileZone, Time, useAction } from '../ui/parts.js';

type Standing = 'proven' | 'signed' | 'signedUnproven' | 'false';

interface Verified {
  readonly receipt: Receipt;
  readonly standing: Standing;
  readonly reason: string;
  readonly mint: string | undefined;
}

/** Verifies receipts against the chain. */
export default function ReceiptsPage({ digest: first }: { digest: string }) {
  const [digest, setDigest] = useState(first);
  const [verified, setVerified] = useState<readonly Verified[]>([]);
  const action = useAction();
  const look = (wanted: string) =>
    action.run(async () => {
      if (!/^[0-9a-f]{64}$/.test(wanted)) throw new Error(texts.receipts.badDigest);
      const proof = await gateway.proof(wanted);
      if (proof.receipt.digest !== wanted) throw new UntrustedError('the gateway answered another receipt');
      setVerified([await verify(proof.receipt, proof)]);
    });
  useEffect(() => {
    if (first !== '') look(first);
  }, [first]);
  const read = (file: File) =>
    action.run(async () => {
      const receipts = parseReceipts(await file.text());
      if (receipts.length === 0) throw new Error(texts.receipts.bad);
      const results: Verified[] = [];
      for (const receipt of receipts) results.push(await verify(receipt));
      setVerified(results);
    });
  return (
    <>
      <h1>{texts.receipts.title}</h1>
      <p class="lead">{texts.receipts.intro}</p>
      <FileZone label={texts.receipts.zone} hint={texts.receipts.privacy} accept=".jsonl,.json,application/json" onFile={read} />
      <form class="filters" onSubmit={(event) => { event.preventDefault(); look(digest.trim().toLowerCase()); }}>
        <Field label={texts.receipts.digest} class="mono" spellcheck={false} value={digest} onValue={setDigest} />
        <button type="submit" disabled={action.isBusy}>{texts.receipts.check}</button>
      </form>
      {action.isBusy && <Busy />}
      <ErrorBox error={action.error} />
      {verified.length > 1 && <Sum verified={verified} />}
      {verified.map((one) => <Result key={one.receipt.digest} {...one} />)}
    </>
  );
}

/** Reads receipts from lines of JSON: each is a receipt, or an object with one. */
function parseReceipts(text: string): Receipt[] {
  const isReceipt = (value: unknown): value is Receipt => typeof (value as Receipt | null)?.signature === 'string' && typeof (value as Receipt).output_digest === 'string';
  return text.split('\n').filter((line) => line.trim() !== '').flatMap((line) => {
    const value = JSON.parse(line) as { receipt?: unknown };
    return [value, value.receipt].filter(isReceipt).slice(0, 1);
  });
}

/** Verifies a receipt's signature by the operator's keys on chain, and its settlement by the channel's account. */
async function verify(receipt: Receipt, known?: ReceiptProof): Promise<Verified> {
  const core = await rules();
  const [channel] = await readAccounts([receipt.channel]);
  const decoded = decode(core, 'channel', channel?.data);
  const operator = decoded?.channel.operator ?? (await readOperator()).operator;
  const mint = decoded?.channel.mint;
  try {
    const keys = await receiptKeys(core, operator);
    core.call('receipt.verify', { receipt, keys });
    const proof = known ?? (await gateway.proof(receipt.digest).catch((error: RefusedError) => error));
    if (proof instanceof Error) {
      const isOpen = proof.problem?.type === 'receipt-not-settled';
      return { receipt, standing: isOpen ? 'signed' : 'signedUnproven', reason: '', mint };
    }
    if (!channel || channel.data.length === 0) return { receipt, standing: 'signedUnproven', reason: '', mint };
    core.call('proof.verify', { proof, address: receipt.channel, channel: base64Of(channel.data), keys });
    const isSame = core.call('receipt.digest', { receipt: proof.receipt }).digest === core.call('receipt.digest', { receipt }).digest;
    return isSame ? { receipt, standing: 'proven', reason: '', mint } : { receipt, standing: 'false', reason: 'the proof is for another receipt', mint };
  } catch (error) {
    return { receipt, standing: 'false', reason: error instanceof Error ? error.message : String(error), mint };
  }
}

async function receiptKeys(core: Core, authority: string): Promise<readonly ReceiptKey[]> {
  const [account] = await readAccounts([core.call('address.operator', { authority }).address]);
  const decoded = decode(core, 'operator', account?.data);
  if (!decoded) throw new Error('the operator is not registered on chain');
  return decoded.operator.receipt_keys;
}

function Sum({ verified }: { verified: readonly Verified[] }) {
  const valid = verified.filter(({ standing }) => standing !== 'false');
  const total = valid.reduce((sum, { receipt }) => sum + BigInt(receipt.amount), 0n);
  const mint = valid[0]?.mint;
  return <p class="card"><strong>{valid.length} / {verified.length}</strong> {texts.nav.receipts}: {mint ? <Amount amount={total} mint={mint} /> : String(total)}</p>;
}

function Result({ receipt, standing, reason, mint }: Verified) {
  return (
    <section class="card" data-standing={standing}>
      <p class={standing === 'false' ? 'bad' : 'good'}><strong>{texts.receipts[standing]}</strong> {reason}</p>
      <dl class="facts">
        <dt>{texts.receipts.work}</dt><dd><a href={`/w/${receipt.work}`}>{receipt.work.slice(0, 8)}…</a></dd>
        <dt>{texts.receipts.amount}</dt><dd>{mint ? <Amount amount={receipt.amount} mint={mint} /> : receipt.amount}</dd>
        <dt>{texts.receipts.units}</dt><dd>{receipt.units}</dd>
        <dt>{texts.receipts.at}</dt><dd><Time at={receipt.issued_at} /></dd>
        <dt>{texts.receipts.statement}</dt><dd>{receipt.statement}</dd>
        <dt>{texts.receipts.channel}</dt><dd><Code value={receipt.channel} length={8} /></dd>
        <dt>{texts.receipts.output}</dt><dd><Code value={receipt.output_digest} length={8} /></dd>
        <dt>{texts.receipts.request}</dt><dd><Code value={receipt.request_digest} length={8} /></dd>
      </dl>
    </section>
  );
}
