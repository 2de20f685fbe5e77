// Methods that rooms above put onto a class: a session can be probed, chatted with and measured, and knows none of that.

/** As if they were written in the class. Their types are declared beside them: `declare module '../session/session.js'`. */
export function extend<T extends object>(of: { readonly prototype: T }, methods: Partial<T> & ThisType<T>): void {
  for (const [name, value] of Object.entries(methods))
    Object.defineProperty(of.prototype, name, { value, writable: true, configurable: true, enumerable: false });
}
