// What it makes is files, which any server shows.
export default { output: 'export', reactStrictMode: true };
