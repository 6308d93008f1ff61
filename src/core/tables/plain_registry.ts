/**
 * The tables of a host with a memory of its own.
 *
 * @module
 */
import { Registry } from "./registry.ts";
import type { Table } from "./table.ts";

export class PlainRegistry extends Registry {
  #lastId = 0;
  readonly #tables = new Map<number, Table>();
  readonly #pins = new Map<string, Table>();
  /** Tables to destroy when the section ends: addresses in it may point at their entries. */
  readonly #dying: Table[] = [];

  override all(): Iterable<Table> {
    return this.#tables.values();
  }

  override byId(id: number): Table | undefined {
    return this.#held(this.#tables.get(id));
  }

  override pinned(path: string): Table | undefined {
    return this.#held(this.#pins.get(path));
  }

  override pin(path: string, table: Table): boolean {
    if (this.#pins.has(path)) return false;
    this.#pins.set(path, table);
    this.hold(table);
    return true;
  }

  override unpin(path: string): boolean {
    const table = this.#pins.get(path);
    if (table === undefined) return false;
    this.#pins.delete(path);
    this.drop(table);
    return true;
  }

  override hold(table: Table): void {
    table.references++;
  }

  override drop(table: Table): void {
    if (--table.references > 0) return;
    table.sockets?.release();
    table.timers?.release();
    this.#tables.delete(table.id);
    if (this.sections > 0) this.#dying.push(table);
    else this.#destroy(table);
    if (this.isEmpty) this.host.scratch.release();
  }

  override leaveSection(): void {
    if (--this.sections > 0) return;
    for (const table of this.#dying.splice(0)) this.#destroy(table);
  }

  override closeAll(): void {
    super.closeAll();
    for (const path of [...this.#pins.keys()]) this.unpin(path);
  }

  /** An id is taken when the table is there. */
  protected override takeId(): number {
    return this.#lastId + 1;
  }

  protected override register(table: Table): Table {
    this.#lastId = table.id;
    this.#tables.set(table.id, table);
    return table;
  }

  protected override get isEmpty(): boolean {
    return this.#tables.size === 0;
  }

  #held(table: Table | undefined): Table | undefined {
    if (table !== undefined) table.references++;
    return table;
  }

  #destroy(table: Table): void {
    this.host.pins.release(() => this.host.core.destroyTable(table.handle));
  }
}
