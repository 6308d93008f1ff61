export class Program<K, V> {
  declare k: K;
  declare v: V;
  checkMap(_m: unknown, _w: string): void {}
  asFilter(): (e: unknown) => number {
    return () => 0;
  }
  scanner(): undefined | import("./scanner.ts").Scanner {
    return undefined;
  }
}
