#compdef sockt
# zsh completion for sockt; made by sockt completion zsh
_sockt() {
	local kind start line
	local -a offered
	$words[1] completion --words -- "${(@Q)words[2,CURRENT-1]}" "${(Q)PREFIX}" \
		2>/dev/null | { read -r kind start; offered=("${(@f)$(cat)}") }
	if [[ $kind == program ]]; then
		shift $start words
		(( CURRENT -= start ))
		_normal
		return
	fi
	for line in ${(M)offered:#*[:/]$'\t'*}; do
		compadd -S '' -- ${line%%$'\t'*}
	done
	offered=(${${offered:#*[:/]$'\t'*}/$'\t'/:})
	_describe word offered
	compset -P "${(b)start}"
	case $kind in
	file) _files ;;
	command) _command_names -e ;;
	user) _users ;;
	interface) _net_interfaces ;;
	service) _ports ;;
	host) _hosts ;;
	url) _hosts -S / ;;
	esac
}
if [[ $funcstack[1] == _sockt ]]; then
	_sockt
else
	compdef _sockt sockt
fi
