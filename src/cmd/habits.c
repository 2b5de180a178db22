/* What users of other programs type, and what sockt has instead. */
#include "cmd/habits.h"

#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "cli/command.h"
#include "cli/equivalents.h"
#include "cmd/table.h"

#define SOCKS_URL "the proxy is one URL: --proxy socks5://USER:PASS@HOST:1080"
#define CLIENT_CERT \
	"the certificate of the client is --tls-cert, with --tls-key"
#define NO_FOLDERS "no command serves files: python3 -m http.server does"
#define UDP_COMMANDS \
	"datagrams are sent with udp-send and received with udp-serve"

/* The first row that matches is used. */
static const struct habit {
	const char *commands; /* "sockt": in place of one; "*": any of these */
	const char *typed;    /* the first words, for fnmatch(3); several ways
				 with "|" between them */
	const char *hint;
} habits[] = {
    {"sockt", "-l*", "a server is a command: sockt listen 8080"},
    {"sockt", "-z*", "a port is tested with sockt connect -z localhost 22"},
    {"sockt", "-u*|UDP*:*", UDP_COMMANDS},
    {"sockt", "http*://*", "URLs are fetched with sockt http-get URL"},
    {"sockt", "unix:*", "the command comes first: sockt connect unix:PATH"},
    {"sockt help", "http*serve*|httpd*|web*|python*", NO_FOLDERS},
    {"sockt", "*://*|TCP*:*|localhost*|*:[0-9]*|*.*",
	"the command comes first: sockt connect localhost 80"},
    {"sockt", "[0-9]*", "the command comes first: sockt listen 8080"},
    {"sockt", "--help=*", "sockt help lists the commands"},
    {"sockt", "server", "servers are listen, serve-hello and udp-serve"},
    {"sockt", "client", "clients are connect, udp-send and http-get"},
    {"sockt help", "*ssl|tls",
	"TLS is connect --tls, or listen --tls-cert FILE"},
    {"sockt help", "udp", UDP_COMMANDS},
    {"sockt help", "proxy|tunnel|forward",
	"connections are forwarded by listen --to HOST:PORT"},
    {"sockt", "download|fetch|get", "files are fetched with http-get"},
    {"sockt", "send",
	"connect sends over a connection, udp-send sends datagrams"},
    {"sockt", "rec*v*", "listen receives over TCP, udp-serve over UDP"},
    {"sockt", "tcp*", "TCP is connect and listen"},
    {"sockt", "chat", "one side is listen, the other is connect"},
    {"sockt", "echo*",
	"listen --echo sends back, and so does udp-serve --echo"},
    {"sockt", "wait", "connect -z --retry-for waits for ports"},
    {"sockt", "ping",
	"ICMP is not supported; connect -z --stats measures round trips"},

    /* nc and ncat, and what sockt had itself. */
    {"*", "-vvv*",
	"-vv shows the calls of sockt; strace(1) shows those of any program"},
    {"*", "-V*|-*version", "the version is printed by sockt --version"},
    {"*", "-help", "the help of a command is printed by --help"},
    {"*", "--*nodelay*", "TCP_NODELAY is always set"},
    {"connect", "-l*|--listen*",
	"connect does not accept connections; listen does"},
    {"udp-send", "-l*|--listen*", "datagrams are received by udp-serve"},
    {"listen serve-hello udp-serve", "-l*|--listen*",
	"a server listens anyway; the port is an operand: sockt listen 8080"},
    {"listen serve-hello udp-serve", "--port*|-p*",
	"the port is an operand: sockt listen 8080"},
    {"listen serve-hello udp-serve", "--bind*|--host*|--addr*|-s*",
	"the local address is an operand before the port"},
    {"listen", "--fork*", "going on after the first client is -k"},
    {"listen serve-hello", "--reuse*", "SO_REUSEADDR is always set"},
    {"serve-hello", "-d*|--dir*|[./]*", NO_FOLDERS},
    {"connect udp-send", "-p*",
	"the port is an operand (-p is --source-port here)"},
    {"connect udp-send", "--port*", "the port is an operand after the host"},
    {"connect udp-send", "--host*", "the host is an operand before the port"},
    {"connect", "-u*|--udp*|UDP*:*", "datagrams are sent with udp-send"},
    {"listen serve-hello", "-u*|--udp*", "datagrams are received by udp-serve"},
    {"udp-send udp-serve", "-u*", "this command is always UDP"},
    {"udp-send", "-c*", "the number of datagrams is --count"},
    {"connect listen", "-U*", "a Unix socket is an operand: unix:PATH"},
    {"connect", "-k*",
	"going on after the first client is listen -k; curl's -k is "
	"--tls-insecure"},
    {"serve-hello udp-serve", "-k*",
	"going on after the first client is the default"},
    {"connect listen", "-N*", "sending FIN when stdin ends is the default"},
    {"connect listen", "-q[0-9]*|-q [0-9]",
	"nc's -q is --linger (-q is --quiet here)"},
    {"udp-send", "-q[0-9]*|-q [0-9]",
	"nc's -q is --timeout (-q is --quiet here)"},
    {"connect", "-connect*", "TLS is --tls; HOST:PORT is an operand"},
    {"connect listen", "-c*",
	"a program on the connection is -e CMD or goes after '--'"},
    {"udp-serve", "-[ce]*", "a program for each datagram goes after '--'"},
    {"connect listen", "--sh-exec*", "a command line is -e (--exec)"},
    {"connect listen", "-i*",
	"an idle limit is --idle-timeout; there is no pause between lines"},
    {"udp-send", "-i*", "a pause between datagrams is --interval"},
    {"connect", "-t*",
	"waiting for a port is --retry-for; there is no telnet negotiation"},
    {"connect listen", "-T*",
	"the type of service is --tos; socat's -T is --idle-timeout"},
    {"connect listen", "-d*",
	"not reading stdin is --recv-only; more messages are -v and -vv"},
    {"udp-send", "-b*", "broadcasting is --broadcast"},
    {"udp-send", "-z*", "a UDP port is probed with portscan --udp"},
    {"connect", "-X*|--proxy-*|SOCKS*:*", SOCKS_URL},
    {"connect http-get", "--socks*", SOCKS_URL},
    {"connect listen", "--wait*",
	"a limit for connecting and idling is --timeout (-w)"},
    {"connect listen", "--no-shutdown*",
	"not sending FIN when stdin ends is --on-eof keep"},
    {"connect listen", "--on-peer-eof drain",
	"finish sends until stdin ends, quit exits at once"},
    {"connect listen", "--append-output*", "appending is -o FILE --append"},
    {"connect listen udp-send udp-serve", "--hex-dump*",
	"the option is --hexdump (-x)"},
    {"listen", "--broker*", "clients cannot be connected with each other"},
    {"listen serve-hello udp-serve", "--allowfile*",
	"a file of clients is --allow @FILE"},
    {"listen serve-hello udp-serve", "--owner*",
	"chown(1) gives the path of a Unix socket to another user"},
    {"connect", "--ucspi*",
	"a program gets the connection as its stdin and stdout: -e 'PROGRAM "
	"6<&0 7>&1'"},
    {"serve-hello", "--quit-word*", "a conversation ends with exit"},
    {"udp-serve", "--any-port*",
	"ports where servers answer anything are never answered"},
    {"http-get serve-hello", "--t[ot][sl]*",
	"connect and listen set the class of service and the time to live"},
    {"http-get serve-hello", "--???buf*",
	"connect and listen set the sizes of buffers"},
    {"help", "--events*", "the JSON events are listed in sockt(1)"},
    {"help", "--list*", "the options of a command are listed by its --help"},

    /* TLS of ncat, curl and openssl. */
    {"connect", "--ssl-trust*", "certificates to trust are --tls-ca FILE"},
    {"connect", "--ssl-verify*", "--tls verifies the certificate"},
    {"connect", "--ssl-[ck]e*", CLIENT_CERT},
    {"connect", "--ssl*", "TLS is --tls"},
    {"listen", "--ssl*|*SSL*:*", "TLS is --tls-cert FILE --tls-key FILE"},
    {"connect", "--insecure*|*SSL*:*verify=0*",
	"TLS without verification is --tls --tls-insecure"},

    /* Operands of socat, and others. */
    {"connect", "http://*", "URLs are fetched with http-get"},
    {"connect", "https://*", "connect takes HOST PORT; TLS is --tls"},
    {"connect", "*://*", "connect takes HOST PORT"},
    {"connect", "TCP*-L*:*", "socat's listener is listen"},
    {"connect", "TCP*:*", "connect takes HOST PORT"},
    {"connect listen", "UNIX*:*user=*",
	"a Unix socket is unix:PATH; chown(1) gives it to another user"},
    {"connect listen", "UNIX*:*mode=*",
	"a Unix socket is unix:PATH, its permissions are --mode"},
    {"connect listen", "UNIX*:*|/*", "a Unix socket is unix:PATH"},
    {"connect", "*SSL*:*",
	"TLS is --tls, certificates to trust are --tls-ca FILE"},
    {"connect", "EXEC:*",
	"a program that connects is --via CMD, one on the connection goes "
	"after '--'"},
    {"connect", "PROXY*:*", "the proxy is one URL: --proxy http://HOST:3128"},
    {"connect", "*:[0-9]* *:[0-9]*", "several endpoints are tested with -z"},
    {"connect", "[0-9]*[-,][0-9]*", "several ports are tested with portscan"},
    {"listen", "TCP*-L*:*",
	"the port is an operand; socat's fork is -k, its second address --to"},
    {"listen", "TCP*:*", "connections are forwarded with --to HOST:PORT"},
    {"listen", "UDP*:*", "datagrams are received by udp-serve"},
    {"listen", "EXEC*:*", "a program goes after '--'"},
    {"listen serve-hello udp-serve", "[0-9]* *.*.*|[0-9]* localhost",
	"the address comes before the port"},
    {"listen", "[0-9]* *:[0-9]*",
	"connections are forwarded with --to HOST:PORT"},
    {"listen", "[0-9]* [0-9]*",
	"one port is served; with --to, HOST:PORT is one word"},
    {"listen udp-serve", "[0-9]* [a-z./]*", "a program goes after '--'"},
    {"connect", "[!-]* [0-9]* [a-z./]*",
	"a program goes after '--'; several endpoints are tested with -z"},
    {"connect", "[!-]* [0-9]* [0-9]*",
	"several ports of a host are tested with portscan"},
    {"udp-send", "*://*|UDP*:*", "udp-send takes HOST PORT and then messages"},

    /* curl and wget. */
    {"http-get", "-s*", "curl's -s is -q (-s is --source here)"},
    {"http-get", "-S*", "errors are printed even with -q; wget's -S is -i"},
    {"http-get", "-f*",
	"a status of 400 and up always fails; overwriting is --force"},
    {"http-get", "-X*|--request*", "only GET and HEAD (-I) are supported"},
    {"http-get", "-[dF]*|--data*|--form*|--post*|--upload*",
	"only GET and HEAD are supported: no request has a body"},
    {"http-get", "-T*", "files are not sent; wget's -T is --timeout"},
    {"http-get", "-k*|--insecure*|--no-check*",
	"a certificate that is not verified is --tls-insecure"},
    {"http-get", "-[AU]*|--user-agent*",
	"User-Agent is a header: -H 'User-Agent: x'"},
    {"http-get", "-e*", "Referer is a header: -H 'Referer: URL'"},
    {"http-get", "-b*",
	"Cookie is a header: -H 'Cookie: a=b'; & runs sockt in the background"},
    {"http-get", "-C*", "resuming is -c"},
    {"http-get", "-G*", "GET is the default; the query is part of the URL"},
    {"http-get", "-x*", "the proxy is --proxy URL"},
    {"http-get", "-w *|-w%*",
	"--timing and --json report times and the status (-w is --timeout "
	"here)"},
    {"http-get", "-[zN]*|--time*|--etag*",
	"fetching only if newer is --if-modified-since FILE"},
    {"http-get", "-nc|--no-clobber*",
	"-O does not overwrite a file that exists"},
    {"http-get", "-nv", "wget's -nv is -q (-n is --numeric here)"},
    {"http-get", "-J*|--remote-header*|--content-disposition*",
	"the file is named by the URL with -O, or as you like with -o"},
    {"http-get", "-#*", "a progress bar is -P"},
    {"http-get", "-D*|--dump-header*",
	"the header goes to stderr, or with -i before the body"},
    {"http-get", "-E*|--cert*", CLIENT_CERT},
    {"http-get", "-t*|--tries*", "retrying is --retry N"},
    {"http-get", "-r http*",
	"recursive downloads are not supported (-r is --range here)"},
    {"http-get", "--silent*", "--quiet (-q) prints errors only"},
    {"http-get", "--show-error*", "errors are printed even with -q"},
    {"http-get", "--fail*",
	"a status of 400 and up is an error anyway (exit status 8)"},
    {"http-get", "--tls", "TLS is used for https:// URLs"},
    {"http-get", "--tlsv*",
	"TLS is used for https:// URLs; from version 1.2 on"},
    {"http-get", "--ca*", "certificates to trust are --tls-ca FILE"},
    {"http-get", "--*cookie*",
	"Cookie is a header: -H 'Cookie: a=b'; cookies are not kept"},
    {"http-get", "--continue-at*", "resuming is --continue (-c)"},
    {"http-get", "--compressed*", "compressed transfers are not supported"},
    {"http-get", "--http*", "requests are HTTP/1.1"},
    {"http-get", "--max-redirect*", "the option is --max-redirs"},
    {"http-get", "--retry-conn*", "waiting for a server is --retry-for"},
    {"http-get", "--retry-all*",
	"--retry-for retries every failure, and every status of 400 and up"},
    {"http-get", "--retry-*",
	"sockt chooses the pause between retries; a limit is --max-time"},
    {"http-get", "--spider*", "requesting the header only is -I"},
    {"http-get", "--limit-rate*", "limiting the rate is not supported"},
    {"http-get", "--resolve*",
	"an address can be in the URL, the name in -H 'Host: NAME'"},
    {"http-get", "--output-d*", "the directory is part of -o"},
    {"http-get", "--write-out*",
	"--timing and --json report times and the status"},
    {"http-get", "--interface*", "the local address is --source (-s)"},
    {"http-get", "--proxy-*",
	"the credentials are part of the proxy's URL: http://USER:PASS@HOST"},
    {"http-get", "--input-file*",
	"URLs are operands; xargs(1) passes those of a file"},
    {"http-get", "--mirror*|--recursive*",
	"recursive downloads are not supported"},

    /* nmap. */
    {"portscan", "-p-",
	"all ports are the second operand: sockt portscan localhost -"},
    {"portscan", "-p*",
	"ports are the second operand: sockt portscan localhost "
	"22,80,8000-8100"},
    {"portscan", "-sT*", "connecting is the only TCP scan"},
    {"portscan", "-sU*|-u*", "scanning UDP ports is --udp"},
    {"portscan", "-sL*", "listing what would be probed is --dry-run"},
    {"portscan", "-s[VC]*",
	"versions are not detected; what services send first is --banner"},
    {"portscan", "-s[nP]*", "only ports are probed, not whether a host is up"},
    {"portscan", "-s*",
	"raw packets are not supported: connecting is the only TCP scan"},
    {"portscan", "-P*", "hosts are not pinged: every host is scanned"},
    {"portscan", "-[AO]*",
	"versions and systems are not detected; what services send first is "
	"--banner"},
    {"portscan", "-T*|--m*-rate*",
	"the speed adapts to the host; a limit is --rate"},
    {"portscan", "-F*|--top*",
	"without ports, 1-1024 and common higher ports are scanned"},
    {"portscan", "-o*",
	"results go to stdout: a table, lines with -q, JSON Lines with --json"},
    {"portscan", "-g*",
	"the system chooses the local port; lines for grep are printed by -q"},
    {"portscan", "--greppable*", "lines for grep are printed by -q"},
    {"portscan", "-i*", "targets from a file are --targets FILE"},
    {"portscan", "-z*", "portscan sends nothing to the ports anyway"},
    {"portscan", "-r*|--order*",
	"ports are probed in random order, and listed in ascending order"},
    {"portscan", "--open*", "open ports only is the default; all is -a"},
    {"portscan", "--reason*", "the reasons are shown by -v"},
    {"portscan", "--*retries*",
	"a silent port is probed again as often as losses require"},
    {"portscan", "--no-skip*",
	"the only host of a scan is never skipped: scan hosts one by one"},
    {"portscan", "--host-timeout*", "a limit for the run is --max-time (-m)"},
    {"portscan", "--m*-par*", "the number of probes at once is --parallel"},
    {"portscan", "--script*",
	"there are no scripts; what services send first is --banner"},
    {"portscan", "--exclude-port*", "the option is --exclude"},
    {"portscan", "--exclude*file*|--exclude *.*",
	"hosts to skip are --exclude-hosts"},
    {"portscan", "[!-]* [0-9]* [0-9]*",
	"ports are one operand, separated by commas"},
    {NULL, NULL, NULL},
};

/* Finds the row for the words first and rest, after a command or "sockt". */
static const char *
find_row(const char *command, const char *first, char *const *rest)
{
	const struct habit *h;
	const char *typed, *space;
	char *const *word;
	char text[128], pattern[128];
	size_t n;

	for (h = habits; h->typed != NULL; h++) {
		if (h->commands[0] != '*' &&
		    !opt_is_listed(h->commands, command))
			continue;
		for (typed = h->typed; *typed != '\0';
		     typed += n + strspn(typed + n, "|")) {
			n = strcspn(typed, "|");
			snprintf(
			    pattern, sizeof(pattern), "%.*s", (int)n, typed);
			/* As many words as the pattern has. */
			snprintf(text, sizeof(text), "%s", first);
			word = rest;
			for (space = strchr(pattern, ' ');
			     space != NULL && *word != NULL;
			     space = strchr(space + 1, ' '))
				text_append(text, sizeof(text), " %s", *word++);
			if (fnmatch(pattern, text, 0) == 0)
				return h->hint;
		}
	}
	return NULL;
}

/* Names the commands that have an option, unless c has it. */
static const char *
find_commands(const struct command *c, const char *word, char letter)
{
	static char text[192];
	const struct command *const *other;
	size_t n = strcspn(word, "=");
	bool is_first = true;

	if (letter != 0)
		snprintf(text, sizeof(text), "-%c", letter);
	else
		snprintf(text, sizeof(text), "%.*s", (int)n, word);
	for (other = command_table; *other != NULL; other++) {
		if (opt_find((*other)->groups, letter, word + 2, n - 2) == NULL)
			continue;
		if (*other == c)
			return NULL;
		text_append(text, sizeof(text), "%s%s",
		    is_first ? " is an option of " : ", ", (*other)->name);
		is_first = false;
	}
	return is_first ? NULL : text;
}

/* Explains a rejected option: by the word as typed, then by its letter, or by
 * its long name and value as words. */
static const char *
explain_option(const struct command *c, const struct command_args *args)
{
	const char *word = args->refused[0], *hint;
	char *const *rest = args->refused + 1;
	char name[64];

	hint = find_row(c->name, word, rest);
	if (hint != NULL)
		return hint;
	snprintf(name, sizeof(name), "%s", word);
	if (args->letter != 0)
		snprintf(name, sizeof(name), "-%c", args->letter);
	else if (strchr(name, '=') != NULL)
		*strchr(name, '=') = ' ';
	hint = find_row(c->name, name, rest);
	return hint != NULL ? hint : find_commands(c, word, args->letter);
}

/* Explains rejected operands, or an option that made a word an operand. */
static const char *
explain_operands(
    const struct command *c, char *const *argv, const struct command_args *args)
{
	const char *hint = NULL;
	char *const *word;

	for (word = argv;
	     hint == NULL && *word != NULL && strcmp(*word, "--") != 0; word++)
		if (word[0][0] == '-')
			hint = find_row(c->name, *word, word + 1);
	for (word = args->operands; hint == NULL && *word != NULL; word++)
		hint = find_row(c->name, *word, word + 1);
	return hint;
}

const char *
habits_find(
    const struct command *c, char *const *argv, const struct command_args *args)
{
	const char *hint;

	if (c != NULL)
		return args->refused != NULL ? explain_option(c, args)
					     : explain_operands(c, argv, args);
	hint = equivalents_nearest(argv);
	if (hint == NULL)
		hint = find_row("sockt", argv[0], argv + 1);
	if (hint == NULL && argv[0][0] == '-')
		hint = find_commands(
		    NULL, argv[0], argv[0][1] != '-' ? argv[0][1] : 0);
	return hint;
}
