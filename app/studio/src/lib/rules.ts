import { Core, type AccountJson } from '@motif/sdk';
import { useEffect, useState } from 'preact/hooks';

let loading: Promise<Core> | undefined;
let loaded: Core | undefined;

/** Returns the module of rules, which is loaded once. */
export function rules(): Promise<Core> {
  loading ??= Core.load().then(
    (core) => (loaded = core),
    (error) => {
      loading = undefined;
      throw error;
    },
  );
  return loading;
}

/** Returns the module of rules, or `undefined` while it loads. */
export function useRules(): Core | undefined {
  const [core, setCore] = useState(loaded);
  useEffect(() => void rules().then(setCore, () => undefined), []);
  return core;
}

/** Calls of the module that the SDK's types do not list. */
interface OtherCalls {
  'earnings.owed': {
    input: { work: string };
    output: {
      parents: { work: string; amount: string }[];
      recipients: { recipient: string; position: number; amount: string }[];
    };
  };
  'address.till': { input: { shares: import('@motif/sdk').InstructionInputs['open_till']['shares']; mint: string }; output: { address: string } };
  'text.visible': { input: { text: string }; output: { text: string } };
  'instruction.apply_split': { input: { funder: string; work: string; mint: string }; output: Built };
  'instruction.apply_dispute': { input: { work: string; mint: string }; output: Built };
  'instruction.cancel_split_change': { input: { owner: string; work: string; proposer: string }; output: Built };
}

type Built = { instructions: import('@motif/sdk').Instruction[] };

/** Calls a rule that the SDK's types do not list. */
export function callOther<Name extends keyof OtherCalls>(
  core: Core,
  name: Name,
  input: OtherCalls[Name]['input'],
  raw?: Uint8Array,
): OtherCalls[Name]['output'] {
  const call = core.call.bind(core) as unknown as (
    name: string,
    input: object,
    raw?: Uint8Array,
  ) => OtherCalls[Name]['output'];
  return call(name, input, raw);
}

/** Decodes an account of one kind; returns `undefined` if there is none, or another one. */
export function decode<Kind extends AccountJson['kind']>(
  core: Core,
  kind: Kind,
  data: Uint8Array | undefined,
): Extract<AccountJson, { kind: Kind }> | undefined {
  if (!data || data.length === 0) return undefined;
  const decoded = core.call('account.decode', {}, data);
  return decoded.kind === kind ? (decoded as Extract<AccountJson, { kind: Kind }>) : undefined;
}
