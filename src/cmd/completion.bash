# bash completion for sockt; made by sockt completion bash
_sockt_names() {
	case $1 in
	file | command | user | service) compgen -A "$1" -- "$2" ;;
	program) compgen -A command -A file -- "$2" ;;
	interface) (ls /sys/class/net || ifconfig -l) 2>/dev/null | tr ' ' '\n' ;;
	url) _sockt_names host | sed 's|$|/|' ;;
	host)
		compgen -A hostname
		sed 's/^[|@#].*//; s/[[:space:]].*//; s/\[\([^],]*\)\]:[0-9]*/\1/g' \
			~/.ssh/known_hosts /etc/ssh/ssh_known_hosts 2>/dev/null |
			tr , '\n' | grep -v '[*?!:]'
		;;
	esac
}
# Offers the lines of stdin, after $1.
_sockt_add() {
	local word
	while IFS=$'\t' read -r word _; do
		word=$1$word
		[[ $word != "$cur"* ]] || COMPREPLY+=("${word#"$before"}")
	done
}
_sockt() {
	local last=${COMP_WORDS[COMP_CWORD]} n=-1 joins='' words=() word kind start
	# bash makes words of the "=" and ":" within one, and replaces the last.
	for word in "${COMP_WORDS[@]:0:COMP_CWORD+1}"; do
		[[ $joins || $word == [=:]* ]] || ((++n))
		words[n]+=$word
		joins=${word##[^=:]*}
	done
	local cur=${words[n]} before=${words[n]%"${last##[=:]*}"}
	COMPREPLY=()
	{
		read -r kind start
		_sockt_add ''
	} < <("${words[0]}" completion --words -- "${words[@]:1}" 2>/dev/null)
	[[ $kind != program ]] || start=''
	_sockt_add "$start" < <(_sockt_names "$kind" "${cur#"$start"}")
	case $kind in
	file | command | program) compopt -o filenames 2>/dev/null ;;
	esac
	[[ ${#COMPREPLY[@]} -ne 1 || ${COMPREPLY[0]} != *[:/] ]] ||
		compopt -o nospace 2>/dev/null
}
complete -F _sockt sockt
