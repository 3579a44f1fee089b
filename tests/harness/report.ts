/** Asks the collector for reports, as a dashboard does. */

/** A row of a report by column name. */
export type Row = Record<string, string | number | null>;

type Filter = ['is', string, string[]];

/** What is asked; the site is the demo, the time all of the last week. */
export interface Question {
  metrics: string[];
  dimensions?: string[];
  filters?: Filter[];
}

interface Answer {
  columns: { name: string }[];
  rows: (string | number | null)[][];
}

/** The rows of a report, in its own order. */
export async function ask(collector: string, question: Question): Promise<Row[]> {
  const response = await fetch(`${collector}/v1/reports/query`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ site: 'demo', date_range: '7d', ...question }),
  });
  const text = await response.text();
  if (response.status !== 200) {
    throw new Error(`${JSON.stringify(question)} was answered with ${response.status}: ${text}`);
  }
  const { columns, rows } = JSON.parse(text) as Answer;
  return rows.map((row) => Object.fromEntries(columns.map(({ name }, index) => [name, row[index] ?? null])));
}
