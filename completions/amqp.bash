# bash completion for amqp. Made from the option tables: change those, not this file.
# Source it, or copy it to /usr/share/bash-completion/completions/amqp.
_amqp() {
  local line=${COMP_LINE:0:COMP_POINT} word option value lead= files= list= words candidates=
  local breaks=${COMP_WORDBREAKS//[^=:]/}
  word=${line##*[[:space:]]}
  read -ra words <<<"${line%"$word"}"
  COMPREPLY=()
  option=${words[${#words[@]} - 1]} value=$word
  if [[ $word == --*=* ]]; then
    option=${word%%=*}= value=${word#*=}
    [[ $breaks == *=* ]] || lead=$option
  fi
  if [[ ${#words[@]} -le 1 ]]; then
    candidates='send receive probe decode help -h --help -V --version'
  elif [[ " ${words[*]} " == *' -- '* ]]; then
    files=f
  else
    case ${words[1]} in
      send)
        case $option in
          -b | --body | --body=) return ;;
          --file | --file=) files=f ;;
          -D | --delimiter | --delimiter=) return ;;
          --body-as | --body-as=) candidates='data string value sequence' ;;
          -H | --header | --header=) return ;;
          -P | --property | --property=) candidates='message-id= user-id= to= subject= reply-to= correlation-id= content-type= content-encoding= absolute-expiry-time= creation-time= group-id= group-sequence= reply-to-group-id= type= app-id= cluster-id= expiration= timestamp= delivery-mode=' ;;
          -C | --content-type | --content-type=) return ;;
          --reply-to | --reply-to=) candidates=$(timeout 1 sh -c "$AMQP_COMPLETE_QUEUES" 2>/dev/null | grep -v '[[:blank:]]') ;;
          --annotation | --annotation=) return ;;
          --delivery-annotation | --delivery-annotation=) return ;;
          --footer | --footer=) return ;;
          --priority | --priority=) return ;;
          --ttl | --ttl=) return ;;
          -c | --count | --count=) return ;;
          --rate | --rate=) return ;;
          --speed | --speed=) return ;;
          --window | --window=) return ;;
          --answer-timeout | --answer-timeout=) return ;;
          --receipts | --receipts=) files=f ;;
          --rejects | --rejects=) files=f ;;
          --fan-out=) return ;;
          --for | --for=) return ;;
          --stats=) candidates='text json' ;;
          --progress | --progress=) candidates='auto always never' ;;
          --request=) return ;;
          --then-receive | --then-receive=) candidates=$(timeout 1 sh -c "$AMQP_COMPLETE_QUEUES" 2>/dev/null | grep -v '[[:blank:]]') ;;
          --reply-as | --reply-as=) candidates='text raw json' ;;
          -q | --queue | --queue=) candidates=$(timeout 1 sh -c "$AMQP_COMPLETE_QUEUES" 2>/dev/null | grep -v '[[:blank:]]') ;;
          -e | --exchange | --exchange=) return ;;
          -r | --routing-key | --routing-key=) return ;;
          --declare | --declare=) candidates='queue: exchange: bind:' ;;
          --mode | --mode=) candidates='at-most-once at-least-once exactly-once transaction' ;;
          --batch | --batch=) return ;;
          --snd-settle-mode | --snd-settle-mode=) candidates='unsettled settled mixed' ;;
          --rcv-settle-mode | --rcv-settle-mode=) candidates='first second' ;;
          --session-window | --session-window=) return ;;
          --capability | --capability=) candidates='queue topic temporary-queue' ;;
          --link-name | --link-name=) return ;;
          --terminus-durability | --terminus-durability=) candidates='none configuration unsettled-state' ;;
          --terminus-expiry | --terminus-expiry=) candidates='link-detach session-end connection-close never' ;;
          --terminus-timeout | --terminus-timeout=) return ;;
          --dynamic=) candidates='delete-on-close delete-on-no-links delete-on-no-messages delete-on-no-links-or-messages' ;;
          -u | --url | --url=) return ;;
          --protocol | --protocol=) candidates='auto 1.0 0-9-1' ;;
          --vhost | --vhost=) return ;;
          --hostname | --hostname=) return ;;
          --user | --user=) return ;;
          --password-file | --password-file=) files=f ;;
          --profile | --profile=) candidates=$(sed -n "s/^ *\[ *\([^]]*[^] ]\) *\].*/\1/p" "${XDG_CONFIG_HOME-$HOME/.config}/amqp/config" 2>/dev/null) ;;
          --container-id | --container-id=) return ;;
          --token-file | --token-file=) files=f ;;
          --sas-key-name | --sas-key-name=) return ;;
          --sas-key-file | --sas-key-file=) files=f ;;
          --sasl | --sasl=) candidates='SCRAM-SHA-512 SCRAM-SHA-256 SCRAM-SHA-1 EXTERNAL XOAUTH2 PLAIN AMQPLAIN RABBIT-CR-DEMO ANONYMOUS NONE' list=1 ;;
          --heartbeat | --heartbeat=) return ;;
          --connect-timeout | --connect-timeout=) return ;;
          --wait | --wait=) return ;;
          --reconnect=) return ;;
          --listen | --listen=) return ;;
          --trace=) candidates='line tree hex' ;;
          --capture | --capture=) files=f ;;
          --cacert | --cacert=) files=f ;;
          --cert | --cert=) files=f ;;
          --key | --key=) files=f ;;
          --key-password-file | --key-password-file=) files=f ;;
          --server-name | --server-name=) return ;;
          --tls | --tls=) candidates='direct in-band' ;;
          --color | --color=) candidates='auto always never' ;;
          -t | --timeout | --timeout=) return ;;
          *)
            if [[ $word == -* ]]; then
              candidates='-b --body --file -l --lines -0 --null -D --delimiter -J --json --template --keep-empty --hex --base64 --body-as -H --header -P --property -C --content-type --reply-to --annotation --delivery-annotation --footer --durable --transient --priority --ttl --stamp -c --count --rate --keep-timing --speed --window --answer-timeout --receipts --rejects --fan-out --for --dry-run --stats --progress --request --then-receive --reply-as -q --queue -e --exchange -r --routing-key --declare --mode --batch --snd-settle-mode --rcv-settle-mode --session-window --capability --link-name --terminus-durability --terminus-expiry --terminus-timeout --dynamic -u --url --protocol --vhost --hostname --user --password-file --profile --container-id --token-file --sas-key-name --sas-key-file --sasl --heartbeat --connect-timeout --wait --reconnect --listen --trace --capture --cacert --cert --key --key-password-file -k --insecure --server-name --tls -h --help -V --version -v --verbose --quiet --color --show-secrets -t --timeout'
            else
              candidates=$(timeout 1 sh -c "$AMQP_COMPLETE_QUEUES" 2>/dev/null | grep -v '[[:blank:]]')
            fi
            ;;
        esac
        ;;
      receive)
        case $option in
          -c | --count | --count=) return ;;
          --idle | --idle=) return ;;
          --for | --for=) return ;;
          -f | --format | --format=) return ;;
          --json=) candidates='lossless plain' ;;
          -D | --delimiter | --delimiter=) return ;;
          --save | --save=) files=d ;;
          --stats=) candidates='text json' ;;
          --progress | --progress=) candidates='auto always never' ;;
          --exec | --exec=) return ;;
          --worker | --worker=) return ;;
          -j | --jobs | --jobs=) return ;;
          --job-timeout | --job-timeout=) return ;;
          --credit | --credit=) return ;;
          --settle | --settle=) candidates='accept reject release modify modify:failed modify:undeliverable modify:failed,undeliverable none' ;;
          --consumer-priority | --consumer-priority=) return ;;
          --argument | --argument=) candidates='x-priority= x-stream-offset=' ;;
          --match | --match=) candidates='subject= header. annotation. body body.' ;;
          --no-match | --no-match=) candidates='subject= header. annotation. body body.' ;;
          --unmatched | --unmatched=) candidates='hold accept reject' ;;
          --expect-count | --expect-count=) return ;;
          --expect-body | --expect-body=) return ;;
          --expect-property | --expect-property=) return ;;
          --within | --within=) return ;;
          --forward | --forward=) candidates=$(timeout 1 sh -c "$AMQP_COMPLETE_QUEUES" 2>/dev/null | grep -v '[[:blank:]]') ;;
          --forward-url | --forward-url=) return ;;
          --forward-profile | --forward-profile=) candidates=$(sed -n "s/^ *\[ *\([^]]*[^] ]\) *\].*/\1/p" "${XDG_CONFIG_HOME-$HOME/.config}/amqp/config" 2>/dev/null) ;;
          --forward-protocol | --forward-protocol=) candidates='auto 1.0 0-9-1' ;;
          -q | --queue | --queue=) candidates=$(timeout 1 sh -c "$AMQP_COMPLETE_QUEUES" 2>/dev/null | grep -v '[[:blank:]]') ;;
          -e | --exchange | --exchange=) return ;;
          -r | --routing-key | --routing-key=) return ;;
          --declare | --declare=) candidates='queue: exchange: bind:' ;;
          --filter | --filter=) candidates='apache.org:selector-filter:string= apache.org:no-local-filter:list= amqp:sql-filter=' ;;
          -o | --offset | --offset=) candidates='first last next' ;;
          --checkpoint | --checkpoint=) files=f ;;
          --subscription | --subscription=) return ;;
          --group | --group=) candidates='$Default' ;;
          --mode | --mode=) candidates='at-most-once at-least-once exactly-once transaction' ;;
          --batch | --batch=) return ;;
          --snd-settle-mode | --snd-settle-mode=) candidates='unsettled settled mixed' ;;
          --rcv-settle-mode | --rcv-settle-mode=) candidates='first second' ;;
          --session-window | --session-window=) return ;;
          --capability | --capability=) candidates='queue topic temporary-queue' ;;
          --link-name | --link-name=) return ;;
          --terminus-durability | --terminus-durability=) candidates='none configuration unsettled-state' ;;
          --terminus-expiry | --terminus-expiry=) candidates='link-detach session-end connection-close never' ;;
          --terminus-timeout | --terminus-timeout=) return ;;
          --dynamic=) candidates='delete-on-close delete-on-no-links delete-on-no-messages delete-on-no-links-or-messages' ;;
          -u | --url | --url=) return ;;
          --protocol | --protocol=) candidates='auto 1.0 0-9-1' ;;
          --vhost | --vhost=) return ;;
          --hostname | --hostname=) return ;;
          --user | --user=) return ;;
          --password-file | --password-file=) files=f ;;
          --profile | --profile=) candidates=$(sed -n "s/^ *\[ *\([^]]*[^] ]\) *\].*/\1/p" "${XDG_CONFIG_HOME-$HOME/.config}/amqp/config" 2>/dev/null) ;;
          --container-id | --container-id=) return ;;
          --token-file | --token-file=) files=f ;;
          --sas-key-name | --sas-key-name=) return ;;
          --sas-key-file | --sas-key-file=) files=f ;;
          --sasl | --sasl=) candidates='SCRAM-SHA-512 SCRAM-SHA-256 SCRAM-SHA-1 EXTERNAL XOAUTH2 PLAIN AMQPLAIN RABBIT-CR-DEMO ANONYMOUS NONE' list=1 ;;
          --heartbeat | --heartbeat=) return ;;
          --connect-timeout | --connect-timeout=) return ;;
          --wait | --wait=) return ;;
          --reconnect=) return ;;
          --listen | --listen=) return ;;
          --trace=) candidates='line tree hex' ;;
          --capture | --capture=) files=f ;;
          --cacert | --cacert=) files=f ;;
          --cert | --cert=) files=f ;;
          --key | --key=) files=f ;;
          --key-password-file | --key-password-file=) files=f ;;
          --server-name | --server-name=) return ;;
          --tls | --tls=) candidates='direct in-band' ;;
          --color | --color=) candidates='auto always never' ;;
          -t | --timeout | --timeout=) return ;;
          *)
            if [[ $word == -* ]]; then
              candidates='-c --count --idle --drain --for -f --format --raw -J --json -0 --null -D --delimiter --save --stats --progress --exec --worker -j --jobs --job-timeout --respond --credit --settle --consumer-priority --exclusive --argument --browse --match --no-match --unmatched --expect-count --expect-body --expect-property --within --forward --forward-url --forward-profile --forward-protocol -q --queue -e --exchange -r --routing-key --declare --filter -o --offset --checkpoint --subscription --group --mode --batch --snd-settle-mode --rcv-settle-mode --session-window --capability --link-name --terminus-durability --terminus-expiry --terminus-timeout --dynamic -u --url --protocol --vhost --hostname --user --password-file --profile --container-id --token-file --sas-key-name --sas-key-file --sasl --heartbeat --connect-timeout --wait --reconnect --listen --trace --capture --cacert --cert --key --key-password-file -k --insecure --server-name --tls -h --help -V --version -v --verbose --quiet --color --show-secrets -t --timeout'
            else
              candidates=$(timeout 1 sh -c "$AMQP_COMPLETE_QUEUES" 2>/dev/null | grep -v '[[:blank:]]')
            fi
            ;;
        esac
        ;;
      probe)
        case $option in
          --watch | --watch=) return ;;
          -c | --count | --count=) return ;;
          --expect | --expect=) candidates='queue.messages queue.consumers queue.exists queue.type tls.days-left version speaks rtt.median-ms' ;;
          -q | --queue | --queue=) candidates=$(timeout 1 sh -c "$AMQP_COMPLETE_QUEUES" 2>/dev/null | grep -v '[[:blank:]]') ;;
          -e | --exchange | --exchange=) return ;;
          -r | --routing-key | --routing-key=) return ;;
          -u | --url | --url=) return ;;
          --protocol | --protocol=) candidates='auto 1.0 0-9-1' ;;
          --vhost | --vhost=) return ;;
          --hostname | --hostname=) return ;;
          --user | --user=) return ;;
          --password-file | --password-file=) files=f ;;
          --profile | --profile=) candidates=$(sed -n "s/^ *\[ *\([^]]*[^] ]\) *\].*/\1/p" "${XDG_CONFIG_HOME-$HOME/.config}/amqp/config" 2>/dev/null) ;;
          --container-id | --container-id=) return ;;
          --token-file | --token-file=) files=f ;;
          --sas-key-name | --sas-key-name=) return ;;
          --sas-key-file | --sas-key-file=) files=f ;;
          --sasl | --sasl=) candidates='SCRAM-SHA-512 SCRAM-SHA-256 SCRAM-SHA-1 EXTERNAL XOAUTH2 PLAIN AMQPLAIN RABBIT-CR-DEMO ANONYMOUS NONE' list=1 ;;
          --heartbeat | --heartbeat=) return ;;
          --connect-timeout | --connect-timeout=) return ;;
          --listen | --listen=) return ;;
          --trace=) candidates='line tree hex' ;;
          --capture | --capture=) files=f ;;
          --wait | --wait=) return ;;
          --cacert | --cacert=) files=f ;;
          --cert | --cert=) files=f ;;
          --key | --key=) files=f ;;
          --key-password-file | --key-password-file=) files=f ;;
          --server-name | --server-name=) return ;;
          --tls | --tls=) candidates='direct in-band' ;;
          --color | --color=) candidates='auto always never' ;;
          -t | --timeout | --timeout=) return ;;
          *)
            if [[ $word == -* ]]; then
              candidates='-J --json --watch -c --count --expect -q --queue -e --exchange -r --routing-key -u --url --protocol --vhost --hostname --user --password-file --profile --container-id --token-file --sas-key-name --sas-key-file --sasl --heartbeat --connect-timeout --listen --trace --capture --wait --cacert --cert --key --key-password-file -k --insecure --server-name --tls -h --help -V --version -v --verbose --quiet --color --show-secrets -t --timeout'
            else
              candidates=$(timeout 1 sh -c "$AMQP_COMPLETE_QUEUES" 2>/dev/null | grep -v '[[:blank:]]')
            fi
            ;;
        esac
        ;;
      decode)
        case $option in
          --input | --input=) candidates='auto pcap pcapng raw hex xxd hexdump-C hexdump od tcpdump tshark follow base64 c escaped python node go java dotnet nsdata erlang proton-raw proton-frm rhea trace json' ;;
          --json=) candidates='lossless plain' ;;
          --only | --only=) return ;;
          --channel | --channel=) return ;;
          --link | --link=) return ;;
          --address | --address=) return ;;
          --connection | --connection=) return ;;
          --tap | --tap=) return ;;
          --color | --color=) candidates='auto always never' ;;
          -t | --timeout | --timeout=) return ;;
          *)
            if [[ $word == -* ]]; then
              candidates='--input --follow --tree --hex -J --json --wire --messages --payload --ladder --stats --lint --only --channel --link --address --connection --errors --tap -h --help -V --version -v --verbose --quiet --color --show-secrets -t --timeout'
            else
              files=f
            fi
            ;;
        esac
        ;;
      help)
        case $option in
          *)
            if [[ $word == -* ]]; then
              candidates='-h --help'
            else
              candidates='send receive probe decode format'
            fi
            ;;
        esac
        ;;
    esac
  fi
  local cut=
  if [[ -n $files ]]; then
    compopt -o filenames 2>/dev/null
    mapfile -t COMPREPLY < <(compgen -"$files" -- "$value")
  else
    [[ -z $list ]] || cut=${value%"${value##*,}"}
    local candidate
    for candidate in $candidates; do
      [[ $cut$candidate == "$value"* ]] && COMPREPLY+=("$cut$candidate")
    done
  fi
  if [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *= ]]; then compopt -o nospace 2>/dev/null; fi
  if [[ -n $breaks ]]; then
    cut=${value%"${value##*[$breaks]}"}
  else
    cut=
  fi
  local i
  for i in "${!COMPREPLY[@]}"; do COMPREPLY[i]=$lead${COMPREPLY[i]#"$cut"}; done
}
complete -F _amqp amqp
