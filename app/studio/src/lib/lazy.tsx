import type { ComponentType } from 'preact';
import { useEffect, useState } from 'preact/hooks';

import { Busy, ErrorBox } from '../ui/parts.js';

/** Returns a component that is loaded when it is first shown. */
export function lazyPage<Props extends object>(
  load: () => Promise<{ default: ComponentType<Props> }>,
): ComponentType<Props> {
  let loaded: ComponentType<Props> | undefined;
  return function Lazy(props: Props) {
    const [Component, setComponent] = useState(() => loaded);
    const [error, setError] = useState<unknown>();
    useEffect(() => {
      if (!loaded) load().then((module) => setComponent(() => (loaded = module.default)), setError);
    }, []);
    if (error !== undefined) return <ErrorBox error={error} />;
    return Component ? <Component {...props} /> : <Busy />;
  };
}
