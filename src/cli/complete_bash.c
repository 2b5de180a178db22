/* Prints a completion script for bash, from the option tables. */
#include <string.h>

#include "cli/command.h"
#include "cli/complete.h"
#include "cli/opt.h"

/* Prints a case pattern for the option's names. */
static void
bash_pattern(FILE *out, const struct opt *o)
{
	fputs("\t\t", out);
	if (o->letter != 0)
		fprintf(out, "-%c | ", o->letter);
	fprintf(out, "--%s) ", o->name);
}

/* The functions of bash for the kinds. */
static const char *const bash_kinds[] = {[COMPLETE_NOTHING] = ":",
    [COMPLETE_WORDS] = "_sockt_words",
    [COMPLETE_FILE] = "_sockt_files",
    [COMPLETE_COMMAND] = "_sockt_commands",
    [COMPLETE_USER] = "_sockt_users",
    [COMPLETE_INTERFACE] = "_sockt_interfaces",
    [COMPLETE_ENDPOINT] = "_sockt_endpoints",
    [COMPLETE_URL] = "_sockt_urls"};

/* Prints how to complete the argument of an option. */
static void
bash_argument(FILE *out, const struct command *c, const struct opt *o)
{
	enum complete_kind kind = complete_kind_of(o);

	(void)c;
	if (!opt_has_argument(o))
		return;
	bash_pattern(out, o);
	fprintf(out, "complete=%s", bash_kinds[kind]);
	if (kind == COMPLETE_WORDS) {
		fputs(" words='", out);
		complete_put_words(out, o, "");
		fputc('\'', out);
	}
	fputs(" ;;\n", out);
}

static void
bash_name(FILE *out, const struct command *c, const struct opt *o)
{
	(void)c;
	if (o->letter != 0)
		fprintf(out, " -%c", o->letter);
	fprintf(out, " --%s", o->name);
}

static void
bash_with_argument(FILE *out, const struct command *c, const struct opt *o)
{
	if (opt_has_argument(o))
		bash_name(out, c, o);
}

static void
bash_command(
    FILE *out, const struct command *c, const struct command *const *table)
{
	enum complete_kind kind = complete_kind_of_operands(c);

	fprintf(out, "\t*:%s)\n\t\tcase $prev in\n", c->name);
	complete_walk(out, c, bash_argument);
	fputs("\t\t*)\n\t\t\toptions='--help", out);
	complete_walk(out, c, bash_name);
	fputs("'\n\t\t\twith_argument='", out);
	complete_walk(out, c, bash_with_argument);
	fprintf(out, " '\n\t\t\tcomplete=%s", bash_kinds[kind]);
	if (kind == COMPLETE_WORDS) {
		fputs(" words='", out);
		complete_put_operands(out, c, table);
		fputc('\'', out);
	}
	fputs("\n\t\t\t;;\n\t\tesac\n\t\t;;\n", out);
}

/*
 * What completes in bash. Words from files are compared, not passed to compgen
 * -W, which would expand what they contain. bash makes words of the ":" and the
 * "=" within a word: $before is what comes before them.
 */
static const char bash_functions[] =
    "# bash completion for sockt; made by sockt completion bash\n"
    "_sockt_add() {\n"
    "\tlocal word\n"
    "\twhile read -r word; do\n"
    "\t\t[[ $word != \"$cur\"* ]] || COMPREPLY+=(\"$word$1\")\n"
    "\tdone\n"
    "}\n"
    "_sockt_words() {\n"
    "\tCOMPREPLY+=($(compgen -W \"$words\" -- \"$cur\"))\n"
    "}\n"
    "_sockt_files() {\n"
    "\tcompopt -o filenames 2>/dev/null\n"
    "\t_sockt_add < <(compgen -A file -- \"$cur\")\n"
    "}\n"
    "_sockt_commands() {\n"
    "\t_sockt_add < <(compgen -A command -- \"$cur\")\n"
    "\t_sockt_files\n"
    "}\n"
    "_sockt_users() {\n"
    "\t_sockt_add < <(compgen -A user -- \"$cur\")\n"
    "}\n"
    "_sockt_interfaces() {\n"
    "\t_sockt_add < <(if [[ -d /sys/class/net ]]; then\n"
    "\t\tcommand ls /sys/class/net\n"
    "\telse\n"
    "\t\tifconfig -l | tr ' ' '\\n'\n"
    "\tfi 2>/dev/null)\n"
    "}\n"
    "_sockt_hosts() {\n"
    "\t_sockt_add \"$1\" < <({\n"
    "\t\tcompgen -A hostname\n"
    "\t\tsed 's/^[|@#].*//; s/[[:space:]].*//; "
    "s/\\[\\([^],]*\\)\\]:[0-9]*/\\1/g' \\\n"
    "\t\t\t~/.ssh/known_hosts /etc/ssh/ssh_known_hosts |\n"
    "\t\t\ttr , '\\n'\n"
    "\t} 2>/dev/null | grep -v '[*?!:]' | sort -u)\n"
    "}\n"
    "_sockt_endpoints() {\n"
    "\tif [[ $before == unix ]]; then\n"
    "\t\t_sockt_files\n"
    "\telif [[ $cur == *%* ]]; then\n"
    "\t\tlocal start=${cur%%\\%*}% i\n"
    "\t\tcur=${cur#*%}\n"
    "\t\t_sockt_interfaces\n"
    "\t\tCOMPREPLY=(\"${COMPREPLY[@]/#/$start}\")\n"
    "\telif [[ $before || $operand -eq 2 ]]; then\n"
    "\t\t_sockt_add < <(compgen -A service -- \"$cur\")\n"
    "\telse\n"
    "\t\t_sockt_hosts\n"
    "\t\t_sockt_add <<< unix:\n"
    "\tfi\n"
    "}\n"
    "_sockt_urls() {\n"
    "\tif [[ $before && $cur == //* ]]; then\n"
    "\t\tcur=${cur#//}\n"
    "\t\t_sockt_hosts /\n"
    "\t\tCOMPREPLY=(\"${COMPREPLY[@]/#///}\")\n"
    "\telse\n"
    "\t\twords='" COMPLETE_SCHEMES "'\n"
    "\t\t_sockt_words\n"
    "\t\t_sockt_hosts\n"
    "\tfi\n"
    "}\n";

/* Everything before the commands, and after them. */
static const char bash_begin[] =
    "_sockt() {\n"
    "\tlocal n=$COMP_CWORD cur=${COMP_WORDS[COMP_CWORD]}\n"
    "\tlocal prev before='' words='' options='' with_argument='' complete=: "
    "operand=1 "
    "i\n"
    "\tCOMPREPLY=()\n"
    "\tif [[ $cur == [=:] ]]; then\n"
    "\t\tcur=''\n"
    "\t\t((n++))\n"
    "\tfi\n"
    "\tprev=${COMP_WORDS[n - 1]}\n"
    "\t[[ $prev != : ]] || before=${COMP_WORDS[n - 2]}\n"
    "\t[[ $prev != '=' ]] || prev=${COMP_WORDS[n - 2]}\n"
    "\tfor ((i = 2; i < n; i++)); do\n"
    "\t\tif [[ ${COMP_WORDS[i]} == -- ]]; then\n"
    "\t\t\t_sockt_commands\n"
    "\t\t\treturn\n"
    "\t\tfi\n"
    "\tdone\n";

static const char bash_end[] =
    "\tif [[ $options && $cur == -* ]]; then\n"
    "\t\twords=$options\n"
    "\t\tcomplete=_sockt_words\n"
    "\tfi\n"
    "\t[[ n -lt 3 || $prev == -* || $with_argument == *\" ${COMP_WORDS[n - 2]} "
    "\"* ]] "
    "||\n"
    "\t\toperand=2\n"
    "\t$complete\n"
    "\t[[ ${#COMPREPLY[@]} -ne 1 || $COMPREPLY != *[:/] ]] ||\n"
    "\t\tcompopt -o nospace 2>/dev/null\n"
    "}\n"
    "complete -F _sockt sockt\n";

void
complete_bash(FILE *out, const struct command *const *table)
{
	const struct command *const *c;

	fputs(bash_functions, out);
	fputs(bash_begin, out);
	fputs("\tcase $n:${COMP_WORDS[1]} in\n"
	      "\t1:*) complete=_sockt_words words='--help --version ",
	    out);
	complete_put_commands(out, table);
	fputs("' ;;\n", out);
	for (c = table; *c != NULL; c++)
		bash_command(out, *c, table);
	fputs("\tesac\n", out);
	fputs(bash_end, out);
}
