import encodeQR from 'qr';
import { useMemo } from 'preact/hooks';

import { texts } from '../texts.js';

const QUIET = 4;

/** QR code of a link, dark on light in any color scheme. */
export default function Qr({ link, label }: { link: string; label: string }) {
  const drawn = useMemo(() => draw(link), [link]);
  if (!drawn) return <p class="quiet">{texts.qr.tooLong}</p>;
  return (
    <svg class="qr" viewBox={`0 0 ${drawn.side} ${drawn.side}`} role="img" aria-label={texts.qr.of(label)} shape-rendering="crispEdges">
      <rect width={drawn.side} height={drawn.side} fill="#fff" />
      <path d={drawn.path} fill="#000" />
    </svg>
  );
}

/** Returns the dark modules of a QR code as a path; `undefined` if the link is too long for one. */
function draw(link: string): { side: number; path: string } | undefined {
  try {
    const rows = encodeQR(link, 'raw', { ecc: 'low', border: QUIET });
    const path = rows.map((row, y) => row.map((isDark, x) => (isDark ? `M${x} ${y}h1v1h-1z` : '')).join('')).join('');
    return { side: rows.length, path };
  } catch {
    return undefined;
  }
}
