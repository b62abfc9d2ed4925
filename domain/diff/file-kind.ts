/** What a file is for, by its path alone, and how likely a change of such a file breaks production at run time. */

export type FileKind =
  | 'code'
  | 'config'
  | 'migration'
  | 'dependencies'
  | 'image'
  | 'build'
  | 'style'
  | 'docs'
  | 'test'
  | 'elsewhere';

const KINDS: readonly (readonly [FileKind, RegExp])[] = [
  [
    'test',
    /(^|\/)(tests?|__tests__|spec|testdata|fixtures?|mocks?|e2e)\/|[._-](test|spec|fixture|golden)\.|_test\.|(^|\/)test_|golden/i,
  ],
  [
    'dependencies',
    /(^|\/)(go\.(mod|sum|work)|package(-lock)?\.json|yarn\.lock|pnpm-lock\.yaml|requirements[\w.-]*\.txt|poetry\.lock|pyproject\.toml|pom\.xml|build\.gradle(\.kts)?|cargo\.(toml|lock)|gemfile(\.lock)?|composer\.(json|lock))$/i,
  ],
  [
    'docs',
    /(^|\/)(docs?|documentation|runbooks?|examples?)\/|\.(md|rst|adoc|txt)$|(^|\/)(readme|changelog|license|codeowners|authors|contributing)[^/]*$/i,
  ],
  ['elsewhere', /(^|[/._-])(staging|sandbox|development|playground)([/._-]|$)/i],
  [
    'build',
    /(^|\/)\.(github|circleci|gitlab|husky|vscode|idea)|(^|\/)(jenkinsfile|makefile|\.?[\w.-]*lint[\w.-]*|\.editorconfig|\.gitignore|\.pre-commit[\w.-]*)$|azure-pipelines/i,
  ],
  ['image', /(^|\/)(dockerfile|containerfile)[\w.-]*$/i],
  ['migration', /(^|\/)(migrations?|migrate|db\/schema|flyway|liquibase|alembic)\/|\.sql$/i],
  [
    'style',
    /\.(css|scss|sass|less|svg|png|jpe?g|ico|woff2?|html?|tmpl|hbs|ejs)$|(^|\/)(theme|palette|colou?rs?|styles?|tokens?)\.[jt]sx?$/i,
  ],
  ['config', /\.(ya?ml|toml|ini|conf|cfg|properties|env|json|hcl|tf|tfvars|xml)$|(^|\/)\.env/i],
];

export function fileKindOf(path: string): FileKind {
  return KINDS.find(([, pattern]) => pattern.test(path))?.[0] ?? 'code';
}

const POTENCY: Readonly<Record<FileKind, number>> = {
  code: 1,
  config: 1,
  migration: 1,
  dependencies: 0.3,
  image: 0.3,
  build: 0.05,
  style: 0.05,
  docs: 0.02,
  test: 0.02,
  elsewhere: 0.05,
};

/** 0..1: what a change of such a file can do to running services at the most. A new version of a library can do anything, and rarely does. */
export function potencyOf(kind: FileKind): number {
  return POTENCY[kind];
}
