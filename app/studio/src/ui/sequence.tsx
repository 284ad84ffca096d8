/** Message of a sequence: sender, recipient, text. */
export type Message = readonly [from: string, to: string, text: string];

const LANES = ['Client', 'Gateway', 'Model'];
const [WIDTH, TOP, STEP] = [640, 40, 44];

/** Draws messages between the client, the gateway and the model server, from top to bottom. */
export function Sequence({ label, messages }: { label: string; messages: readonly Message[] }) {
  const at = (name: string) => 90 + LANES.indexOf(name) * 230;
  const bottom = TOP + STEP * messages.length + 10;
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label={label}>
      <svg class="sequence" viewBox={`0 0 ${WIDTH} ${bottom}`} role="img" aria-label={messages.map(([from, to, text]) => `${from} to ${to}: ${text}`).join('. ')}>
        {LANES.map((lane) => (
          <g key={lane}><text x={at(lane)} y={20} text-anchor="middle" class="lane">{lane}</text><line x1={at(lane)} y1={30} x2={at(lane)} y2={bottom} class="life" /></g>
        ))}
        {messages.map(([from, to, text], index) => {
          const y = TOP + STEP * (index + 0.6);
          const [x1, x2] = [at(from), at(to)];
          const tip = x2 > x1 ? -7 : 7;
          return (
            <g key={index}>
              <text x={(x1 + x2) / 2} y={y - 6} text-anchor="middle">{text}</text>
              <path d={`M${x1} ${y}H${x2}M${x2 + tip} ${y - 4}L${x2} ${y}L${x2 + tip} ${y + 4}`} class="arrow" />
            </g>
          );
        })}
      </svg>
    </div>
  );
}
