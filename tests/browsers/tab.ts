/** A browser of any engine, as far as the matrix of players drives it. */

export type Engine = 'chromium' | 'firefox' | 'webkit';

/** A page that is looked at. */
export interface Tab {
  /** What a script in the page gives. */
  run<T>(script: string): Promise<T>;
  /** Errors that nobody caught, as far as the engine's driver tells of them. */
  readonly complaints: string[];
  /** As a viewer leaves: by closing the tab, or where a driver cannot let that be seen, by going to another page. */
  leave(): Promise<void>;
}

export interface Browser {
  open(url: string): Promise<Tab>;
  close(): Promise<void>;
}

export interface Driver {
  /** Why the engine cannot be run on this machine. */
  missing(): string | undefined;
  start(): Promise<Browser>;
}
