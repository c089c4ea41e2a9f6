# Lists permanent event subscriptions.
Get-CimInstance -Namespace root/subscription -ClassName __EventFilter
Get-CimInstance -Namespace root/subscription -ClassName __FilterToConsumerBinding
