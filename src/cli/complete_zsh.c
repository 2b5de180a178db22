/* Prints a completion script for zsh, from the option tables. */
#include <string.h>

#include "cli/command.h"
#include "cli/complete.h"
#include "cli/opt.h"

/* The actions of zsh for the kinds. */
static const char *const zsh_kinds[] = {[COMPLETE_NOTHING] = "",
    [COMPLETE_WORDS] = "",
    [COMPLETE_FILE] = "_files",
    [COMPLETE_COMMAND] = "_command_names -e",
    [COMPLETE_USER] = "_users",
    [COMPLETE_INTERFACE] = "_net_interfaces",
    [COMPLETE_ENDPOINT] = "_sockt_endpoints",
    [COMPLETE_URL] = "_sockt_urls"};

/* Prints "[help]:T:action", which follows the names. */
static void
zsh_rest(FILE *out, const struct opt *o)
{
	enum complete_kind kind = complete_kind_of(o);

	fputs("'[", out);
	complete_put_escaped(out, o->help, "[]\\");
	fputc(']', out);
	if (opt_has_argument(o)) {
		fputc(':', out);
		complete_put_escaped(out, o->arg, ":\\");
		fprintf(out, ":%s", zsh_kinds[kind]);
		if (o->kind == OPT_CHOICE) {
			fputc('(', out);
			complete_put_words(out, o, ":");
			fputc(')', out);
		} else if (kind == COMPLETE_WORDS) {
			fputs("compadd -S \"\" -- ", out);
			complete_put_words(out, o, ":");
		}
	}
	fputs("' \\\n", out);
}

static void
zsh_option(FILE *out, const struct command *c, const struct opt *o)
{
	bool argument = opt_has_argument(o);
	const char *many =
	    o->kind == OPT_LIST || o->kind == OPT_COUNT ? "'*'" : "";

	(void)c;
	fprintf(out, "\t\t\t%s", many);
	if (o->letter != 0)
		fprintf(out, "{-%c%s,--%s%s}", o->letter, argument ? "+" : "",
		    o->name, argument ? "=" : "");
	else
		fprintf(out, "--%s%s", o->name, argument ? "=" : "");
	zsh_rest(out, o);
}

static void
zsh_command(
    FILE *out, const struct command *c, const struct command *const *table)
{
	enum complete_kind kind = complete_kind_of_operands(c);

	fprintf(out, "\t%s)\n\t\t_arguments -s -S \\\n", c->name);
	complete_walk(out, c, zsh_option);
	fputs("\t\t\t'--help[show every option]' \\\n\t\t\t'", out);
	if (kind == COMPLETE_ENDPOINT) {
		fputs("1:host:_sockt_endpoints' \\\n\t\t\t'2:port:_ports", out);
	} else if (kind == COMPLETE_URL) {
		fputs("*:URL:_sockt_urls", out);
	} else {
		fputs("1:word:(", out);
		complete_put_operands(out, c, table);
		fputc(')', out);
	}
	fputs("'\n\t\t;;\n", out);
}

static const char zsh_begin[] =
    "#compdef sockt\n"
    "# zsh completion for sockt; made by sockt completion zsh\n"
    "_sockt_endpoints() {\n"
    "\tif compset -P 'unix:'; then\n"
    "\t\t_files\n"
    "\telif compset -P '*%'; then\n"
    "\t\t_net_interfaces\n"
    "\telif compset -P '*:'; then\n"
    "\t\t_ports\n"
    "\telse\n"
    "\t\t_hosts\n"
    "\t\tcompadd -S '' -- unix:\n"
    "\tfi\n"
    "}\n"
    "_sockt_urls() {\n"
    "\tif compset -P '*://'; then\n"
    "\t\t_hosts -S /\n"
    "\telse\n"
    "\t\tcompadd -S '' -- " COMPLETE_SCHEMES "\n"
    "\t\t_hosts -S /\n"
    "\tfi\n"
    "}\n"
    "_sockt() {\n"
    "\tlocal -a sockt_commands\n"
    "\tlocal program=${words[(i)--]}\n"
    "\tif (( program < CURRENT )); then\n"
    "\t\tshift $program words\n"
    "\t\t(( CURRENT -= program ))\n"
    "\t\t_normal\n"
    "\t\treturn\n"
    "\tfi\n"
    "\tsockt_commands=(\n";

void
complete_zsh(FILE *out, const struct command *const *table)
{
	const struct command *const *c;

	fputs(zsh_begin, out);
	for (c = table; *c != NULL; c++) {
		fprintf(out, "\t\t'%s:", (*c)->name);
		complete_put_escaped(out, (*c)->summary, ":\\");
		fputs("'\n", out);
	}
	fputs("\t)\n"
	      "\tif (( CURRENT == 2 )); then\n"
	      "\t\t_describe command sockt_commands\n"
	      "\t\treturn\n"
	      "\tfi\n"
	      "\tshift words\n"
	      "\t(( CURRENT-- ))\n"
	      "\tcase $words[1] in\n",
	    out);
	for (c = table; *c != NULL; c++)
		zsh_command(out, *c, table);
	fputs("\tesac\n"
	      "}\n"
	      "if [[ $funcstack[1] == _sockt ]]; then\n"
	      "\t_sockt \"$@\"\n"
	      "else\n"
	      "\tcompdef _sockt sockt\n"
	      "fi\n",
	    out);
}
