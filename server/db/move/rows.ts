/** The two ends of a move: where rows are read, and where they are written together with how far it is. */
import type { TargetMark } from "./move-mark.repo.ts";
import type { MovedTable, Row } from "./moved-tables.ts";

/** Keys of people: who, and the wrapped key. */
export type KeyRow = readonly [subject: string, sealed: string];

export interface RowReader {
  count(table: MovedTable): Promise<number>;
  /** In the order of the primary key, after one. */
  page(table: MovedTable, after: Row | undefined, limit: number): Promise<readonly Row[]>;
  /** After a subject, in their order. */
  keys(after: string, limit: number): Promise<readonly KeyRow[]>;
  close(): Promise<void>;
}

/** Nobody else writes it while it is open. */
export interface MoveSource extends RowReader {
  /** Writes down that the other one is whole. */
  finish(mark: string): Promise<void>;
}

export interface MoveTarget extends RowReader {
  mark(): Promise<TargetMark | undefined>;
  /** Takes away what would hold rows up that come in the order of tables, and marks it. */
  prepare(id: string): Promise<TargetMark>;
  /** All of it or nothing. */
  write(table: MovedTable, rows: readonly Row[], mark: TargetMark): Promise<void>;
  clear(table: MovedTable): Promise<void>;
  writeKeys(rows: readonly KeyRow[]): Promise<void>;
  clearKeys(): Promise<void>;
  /** Puts back what `prepare` took away, which proves that every reference holds, and marks it whole. */
  finish(mark: TargetMark): Promise<void>;
}
