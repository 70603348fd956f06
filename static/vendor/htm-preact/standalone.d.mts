/** What the console uses of htm/preact's standalone build; wide on purpose: a template's result is opaque. */
export type VNode = unknown;
export function html(strings: TemplateStringsArray, ...values: unknown[]): VNode;
export function h(type: unknown, props: Record<string, unknown> | null, ...children: unknown[]): VNode;
export function render(node: VNode, parent: Element): void;
export class Component {}
export function useState<T>(initial: T | (() => T)): [T, (next: T | ((last: T) => T)) => void];
export function useReducer<S, A>(reduce: (state: S, action: A) => S, initial: S): [S, (action: A) => void];
export function useEffect(effect: () => void | (() => void), deps?: readonly unknown[]): void;
export function useLayoutEffect(effect: () => void | (() => void), deps?: readonly unknown[]): void;
export function useRef<T>(initial: T): { current: T };
export function useMemo<T>(make: () => T, deps?: readonly unknown[]): T;
export function useCallback<F>(fn: F, deps?: readonly unknown[]): F;
export function useErrorBoundary(onError?: (error: unknown) => void): [unknown, () => void];
